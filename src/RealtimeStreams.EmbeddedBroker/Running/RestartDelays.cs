namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>How long to wait before each restart: the first at once, then 20 ms, doubled up to 5 s. A minute of peace begins it anew.</summary>
internal sealed class RestartDelays(TimeProvider clock)
{
    private static readonly TimeSpan shortest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan longest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan peace = TimeSpan.FromMinutes(1);

    private long? lastAt;
    private TimeSpan last;

    public TimeSpan Next()
    {
        var undisturbed = lastAt is not { } at || clock.GetElapsedTime(at) - last >= peace;
        last = undisturbed ? TimeSpan.Zero
            : last == TimeSpan.Zero ? shortest
            : last * 2 < longest ? last * 2
            : longest;
        lastAt = clock.GetTimestamp();
        return last;
    }
}
