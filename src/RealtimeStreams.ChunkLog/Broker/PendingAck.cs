using System.Buffers;
using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>The acknowledgement that one appender waits for; used again for each of its records, one at a time.</summary>
internal sealed class PendingAck : IReplyTarget, IValueTaskSource<PublishOutcome>
{
    // The appender goes on where the acknowledgement came in, on the socket's read loop: that saves a change of thread for each record. What it does there is
    // to answer its callers (who go on elsewhere), to copy the next 64 KiB and to hand them to the connection; it never blocks, it only awaits.
    private ManualResetValueTaskSourceCore<PublishOutcome> source;

    // The generation that is awaited; 0: none. Whoever takes it away by compare-and-swap completes the wait.
    private uint awaited;
    private uint lastGeneration;

    /// <summary>When the wait began, in <see cref="Stopwatch"/> ticks of the clock given to <see cref="Begin"/>.</summary>
    public long Since { get; private set; }

    /// <summary>Begins a wait.</summary>
    public uint Begin(long timestamp)
    {
        source.Reset();
        Since = timestamp;
        if (++lastGeneration == 0) lastGeneration = 1;
        Volatile.Write(ref awaited, lastGeneration);
        return lastGeneration;
    }

    public ValueTask<PublishOutcome> Outcome => new(this, source.Version);

    public void OnReply(uint generation, ReadOnlySequence<byte> headers, ReadOnlySequence<byte> payload)
    {
        if (Volatile.Read(ref awaited) == generation) TryComplete(generation, PubAck.Parse(headers, payload));
    }

    public void OnLost() => GiveUp("the connection was lost");

    /// <summary>Ends the wait, if there is one, without an answer.</summary>
    public void GiveUp(string reason)
    {
        var generation = Volatile.Read(ref awaited);
        if (generation != 0) TryComplete(generation, new PublishOutcome(PublishKind.Unknown, Reason: reason));
    }

    public bool IsWaiting => Volatile.Read(ref awaited) != 0;

    private void TryComplete(uint generation, PublishOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref awaited, 0, generation) == generation) source.SetResult(outcome);
    }

    PublishOutcome IValueTaskSource<PublishOutcome>.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<PublishOutcome>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<PublishOutcome>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
