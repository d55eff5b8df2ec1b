namespace RealtimeStreams.ChunkLog.Forwarding;

/// <summary>Notices that another node writes the same stream: three conflicts within a second. Belongs to one appender's loop.</summary>
internal sealed class Contention(TimeProvider clock)
{
    private const int Conflicts = 3;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    /// <summary>How long appends are handed over before this node tries by itself again: the other writers may have gone.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);

    private long windowBegan;
    private int conflicts;
    private long until;

    public bool IsOn => clock.GetTimestamp() < until;

    public void Note()
    {
        var now = clock.GetTimestamp();
        if (conflicts == 0 || clock.GetElapsedTime(windowBegan, now) > Window)
        {
            windowBegan = now;
            conflicts = 0;
        }
        if (++conflicts < Conflicts) return;
        conflicts = 0;
        until = now + (long)(Duration.TotalSeconds * clock.TimestampFrequency);
    }

    public void Forget() => until = 0;
}
