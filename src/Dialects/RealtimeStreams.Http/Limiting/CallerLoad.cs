namespace RealtimeStreams.Http.Limiting;

/// <summary>What one environment, token or address is doing here.</summary>
internal sealed class CallerLoad
{
    private Bucket? bucket;
    private long lastUsed;

    public Slots Requests { get; } = new();

    public Slots Readers { get; } = new();

    public Slots Bodies { get; } = new();

    /// <summary>The bucket of a rate; a new and full one when the rate was changed.</summary>
    public Bucket BucketOf(int perSecond, int burst)
    {
        var there = Volatile.Read(ref bucket);
        if (there is not null && there.PerSecond == perSecond && there.Burst == burst) return there;
        var made = new Bucket(perSecond, burst);
        return Interlocked.CompareExchange(ref bucket, made, there) == there ? made : Volatile.Read(ref bucket)!;
    }

    /// <summary>The bucket, if there is one.</summary>
    public Bucket? Known => Volatile.Read(ref bucket);

    /// <summary>Notes that it is in use, to the second: all processors would fetch the same line at every request otherwise.</summary>
    public void Touch(long now, long second)
    {
        if (now - Volatile.Read(ref lastUsed) > second) Volatile.Write(ref lastUsed, now);
    }

    /// <summary>Whether nothing would be different if it were made anew: nothing goes on, and its bucket would be full by now.</summary>
    public bool IsIdle(long now, long second)
    {
        if (Requests.Taken > 0 || Readers.Taken > 0 || Bodies.Taken > 0) return false;
        var seconds = Math.Max(10, Known is { } known ? known.Burst / known.PerSecond + 2 : 0);
        return now - Volatile.Read(ref lastUsed) > seconds * second;
    }
}
