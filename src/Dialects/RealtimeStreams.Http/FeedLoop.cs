using System.Diagnostics;
using System.IO.Pipelines;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;

namespace RealtimeStreams.Http;

/// <summary>Sends a read to a client until the stream ends, the client has waited long enough, or either side goes.</summary>
/// <remarks>It holds no chunks: a client that does not read its socket holds up the flush, and so the cursor. Not for several threads at once.</remarks>
/// <param name="read">The read.</param>
/// <param name="format">How it looks on the wire.</param>
/// <param name="output">The answer's body.</param>
/// <param name="timeout">How long the reader waits for chunks; null: for ever.</param>
/// <param name="clock">The time.</param>
/// <param name="news">What the reader is told beside the stream; null: nothing.</param>
public sealed class FeedLoop(
    IStreamRead read, IFeedFormat format, PipeWriter output, TimeSpan? timeout, TimeProvider clock, FeedNews? news = null)
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);
    private const int FlushBytes = 64 * 1024;

    private long lastWrite;
    private long lastChunk;
    private int unflushed;
    private FeedNews? awaited = news;

    /// <summary>How the stream ended, after <see cref="FeedEnd.Ended"/>.</summary>
    public Outcome Outcome { get; private set; }

    /// <summary>Sends until there is a reason to end, which the dialect tells. The last that was written is flushed by the dialect, together with that.</summary>
    /// <param name="cancellationToken">Ends the loop by an exception.</param>
    public async Task<FeedEnd> SendAsync(CancellationToken cancellationToken)
    {
        using var either = awaited is null ? null : CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, awaited.Come);
        lastChunk = clock.GetTimestamp();
        if (!await TryFlushAsync(cancellationToken)) return FeedEnd.ClientGone; // The headers, and whatever was written before.
        FeedEnd? end;
        do
        {
            end = await StepAsync(either, cancellationToken);
        }
        while (end is null);
        return end.Value;
    }

    private async ValueTask<FeedEnd?> StepAsync(CancellationTokenSource? either, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested(); // A step that is at hand does not ask.
        if (awaited is { Come.IsCancellationRequested: true })
        {
            awaited.Write(output);
            awaited = null;
            unflushed++;
        }
        ReadStep? taken;
        try
        {
            var next = read.NextAsync(Wait(), awaited is null ? cancellationToken : either!.Token);
            taken = unflushed == 0 || next.IsCompleted ? await next : await FlushWhileAsync(next, cancellationToken);
        }
        catch (OperationCanceledException) when (awaited is { Come.IsCancellationRequested: true } && !cancellationToken.IsCancellationRequested)
        {
            return null; // The wait for a step was cut short, and nothing was taken.
        }
        if (taken is not { } step) return FeedEnd.ClientGone;
        switch (step.Kind)
        {
            case ReadStepKind.Chunks:
                unflushed += format.WriteChunks(step, read, output);
                lastChunk = clock.GetTimestamp();
                return unflushed < FlushBytes || await TryFlushAsync(cancellationToken) ? null : FeedEnd.ClientGone;
            case ReadStepKind.CaughtUp:
                format.WriteCaughtUp(read, output);
                unflushed++;
                return null;
            case ReadStepKind.Trimmed:
                format.WriteTrimmed(step, output);
                unflushed++;
                return null;
            case ReadStepKind.Ended:
                Outcome = step.Outcome;
                return FeedEnd.Ended;
            case ReadStepKind.Erased:
                return FeedEnd.Erased;
            case ReadStepKind.Idle:
                return await IdleAsync(cancellationToken);
            default:
                throw new UnreachableException();
        }
    }

    private async ValueTask<FeedEnd?> IdleAsync(CancellationToken cancellationToken)
    {
        if (timeout is { } most && clock.GetElapsedTime(lastChunk) >= most) return FeedEnd.TimedOut;
        if (clock.GetElapsedTime(lastWrite) < HeartbeatInterval) return null;
        format.WriteHeartbeat(read, output);
        return await TryFlushAsync(cancellationToken) ? null : FeedEnd.ClientGone;
    }

    private TimeSpan Wait()
    {
        var wait = HeartbeatInterval - clock.GetElapsedTime(lastWrite);
        if (timeout is { } most) wait = TimeSpan.FromTicks(Math.Min(wait.Ticks, (most - clock.GetElapsedTime(lastChunk)).Ticks));
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    /// <summary>Flushes while the next step is awaited; a step that was begun is waited for before anything is given up.</summary>
    /// <returns>The step; null when the client has gone.</returns>
    private async ValueTask<ReadStep?> FlushWhileAsync(ValueTask<ReadStep> next, CancellationToken cancellationToken)
    {
        var flushed = false;
        try
        {
            flushed = await TryFlushAsync(cancellationToken);
        }
        finally
        {
            // The client has gone: the token ends the step, or its time does.
            if (!flushed) await IgnoreAsync(next);
        }
        return flushed ? await next : null;

        static async ValueTask IgnoreAsync(ValueTask<ReadStep> next)
        {
            try
            {
                await next;
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    /// <returns>False when the client has gone.</returns>
    private async ValueTask<bool> TryFlushAsync(CancellationToken cancellationToken)
    {
        var result = await output.FlushAsync(cancellationToken);
        unflushed = 0;
        lastWrite = clock.GetTimestamp();
        return !result.IsCompleted && !result.IsCanceled;
    }
}
