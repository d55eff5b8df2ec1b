namespace RealtimeStreams.RunRegistry;

/// <summary>How long a writers' lease may be.</summary>
public static class LeaseBounds
{
    /// <summary>5 seconds: renewals come once a second at the most, and a busy server or database may be late.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);

    /// <summary>7 days.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);
}
