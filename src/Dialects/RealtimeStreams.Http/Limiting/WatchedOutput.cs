using System.IO.Pipelines;

namespace RealtimeStreams.Http.Limiting;

/// <summary>An answer's body that gives up on a reader who takes nothing. Written through unchanged; a flush that the reader holds up has a time.</summary>
/// <remarks>
/// How fast a reader takes what was written cannot be seen from here, only that all of it was taken. So the time grows with what one flush holds: so long, and as long again for each
/// further MiB. Once it is over the connection is ended (over HTTP/2 the request alone), which ends the flush as if the reader had gone.
/// </remarks>
internal sealed class WatchedOutput(PipeWriter inner, WatchedBody body) : PipeWriter
{
    private const double PatienceBytes = 1024 * 1024;

    private ITimer? timer;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes) => inner.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var bytes = inner.CanGetUnflushedBytes ? inner.UnflushedBytes : 0;
        var flush = inner.FlushAsync(cancellationToken);
        return flush.IsCompleted ? flush : WaitAsync(flush, bytes);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        var flush = inner.WriteAsync(source, cancellationToken);
        return flush.IsCompleted ? flush : WaitAsync(flush, source.Length);
    }

    // One timer a reader, and only of those who have held up a flush.
    private async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flush, long bytes)
    {
        timer ??= body.NewTimer();
        timer.Change(body.Patience * Math.Max(1, bytes / PatienceBytes), Timeout.InfiniteTimeSpan);
        try
        {
            return await flush;
        }
        finally
        {
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
