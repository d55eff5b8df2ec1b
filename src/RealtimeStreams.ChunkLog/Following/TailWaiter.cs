using System.Threading.Tasks.Sources;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Following;

/// <summary>One reader's wait, used again for each of its waits, one at a time: a wait allocates nothing.</summary>
internal sealed class TailWaiter : IValueTaskSource<bool>
{
    private ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration registration;

    // 1 while waiting. Whoever sets it to 0 by compare-and-swap ends the wait.
    private int waiting;

    /// <summary>The index beyond which the stream must go.</summary>
    public ChunkIndex Cursor { get; private set; }

    /// <summary>When the wait is over, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long Deadline { get; private set; }

    public bool IsWaiting => Volatile.Read(ref waiting) == 1;

    /// <summary>Begins a wait. What ends it may come before this returns.</summary>
    public ValueTask<bool> Begin(ChunkIndex cursor, long deadline)
    {
        source.Reset();
        Cursor = cursor;
        Deadline = deadline;
        Volatile.Write(ref waiting, 1);
        return new ValueTask<bool>(this, source.Version);
    }

    /// <summary>Lets a token end the wait. Called once the wait can be ended by the stream, too.</summary>
    public void EndBy(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;
        registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TailWaiter)state!).Cancel(token), this);
    }

    /// <summary>Ends the wait, if there is one.</summary>
    /// <param name="found">Whether there is something to do.</param>
    public void End(bool found)
    {
        if (Interlocked.CompareExchange(ref waiting, 0, 1) == 1) source.SetResult(found);
    }

    private void Cancel(CancellationToken token)
    {
        if (Interlocked.CompareExchange(ref waiting, 0, 1) == 1) source.SetException(new OperationCanceledException(token));
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        registration.Dispose();
        registration = default;
        return source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
