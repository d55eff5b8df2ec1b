namespace RealtimeStreams.RunRegistry;

/// <summary>How long a writers' lease may be.</summary>
public static class LeaseBounds
{
    /// <summary>5 seconds: renewals come once a second at the most, and a busy server or database may be late.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);

    /// <summary>
    /// 7 days. Also the lease of a stream whose writers speak a protocol in which streams have no end (Trigger.dev's, S2's): such a writer
    /// comes back to a stream for as long as its run lasts, and the run's end closes it.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);
}
