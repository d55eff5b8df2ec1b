namespace RealtimeStreams.RunRegistry;

/// <summary>In what steps a stream that is written all the time expires.</summary>
public static class ExpirySteps
{
    /// <summary>A hundredth of the retention, at least a second and at most an hour: chunks may stay so much longer, and no stream is looked at more often.</summary>
    public static TimeSpan Of(TimeSpan retention) =>
        TimeSpan.FromTicks(Math.Clamp(retention.Ticks / 100, TimeSpan.TicksPerSecond, TimeSpan.TicksPerHour));
}
