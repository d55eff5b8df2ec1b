using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>Sends a read to a client until the stream ends, the client has waited long enough, or either side goes.</summary>
/// <remarks>It holds no chunks: a client that does not read its socket holds up the flush, and so the cursor.</remarks>
internal sealed class Feed(IStreamRead read, FeedFormat format, PipeWriter output, TimeSpan? timeout, TimeProvider clock)
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LastFlush = TimeSpan.FromSeconds(1);
    private const int FlushBytes = 64 * 1024;

    private long lastWrite;
    private long lastChunk;
    private int unflushed;

    /// <param name="start">The index that the client asked for.</param>
    /// <param name="stopping">The server stops: the client is told to come back.</param>
    /// <param name="cancellationToken">The client has gone, or <paramref name="stopping"/>.</param>
    public async Task SendAsync(long start, CancellationToken stopping, CancellationToken cancellationToken)
    {
        format.WriteOpening(output);
        lastChunk = clock.GetTimestamp();
        var opened = await TryFlushAsync(cancellationToken);
        try
        {
            while (opened && await TryStepAsync(start, cancellationToken))
            {
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Tell(NativeEvents.Reconnect, new CaughtUpEvent(read.Cursor.Value), WireJson.Contracts.CaughtUpEvent);
            // A client that does not read gets no more time than this.
            using var last = new CancellationTokenSource(LastFlush, clock);
            await output.FlushAsync(last.Token);
        }
    }

    /// <summary>Tells an error, as the last event.</summary>
    public async Task FailAsync(Refusal refusal, CancellationToken cancellationToken)
    {
        Tell(NativeEvents.Error, Problems.Describe(refusal), WireJson.Contracts.Problem);
        await output.FlushAsync(cancellationToken);
    }

    private async ValueTask<bool> TryStepAsync(long start, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested(); // A step that is at hand does not ask.
        var next = read.NextAsync(Wait(), cancellationToken);
        if ((unflushed == 0 || next.IsCompleted ? await next : await FlushWhileAsync(next, cancellationToken)) is not { } step) return false;
        switch (step.Kind)
        {
            case ReadStepKind.Chunks:
                var bytes = step.Record!.Framed(format).From(step.From);
                output.Write(bytes.Span);
                unflushed += bytes.Length;
                lastChunk = clock.GetTimestamp();
                return unflushed < FlushBytes || await TryFlushAsync(cancellationToken);
            case ReadStepKind.CaughtUp:
                Tell(NativeEvents.CaughtUp, new CaughtUpEvent(read.Cursor.Value), WireJson.Contracts.CaughtUpEvent);
                return true;
            case ReadStepKind.Trimmed:
                Tell(NativeEvents.Trimmed, new TrimmedEvent(Math.Max(start, 0), step.From.Value), WireJson.Contracts.TrimmedEvent);
                return true;
            case ReadStepKind.Ended:
                Tell(NativeEvents.End, new EndEvent(step.Outcome, read.NextIndex.Value), WireJson.Contracts.EndEvent);
                await TryFlushAsync(cancellationToken);
                return false;
            case ReadStepKind.Erased:
                await FailAsync(new Refusal(ErrorCode.StreamGone, "The stream was erased while it was being read."), cancellationToken);
                return false;
            case ReadStepKind.Idle:
                return await TryIdleAsync(cancellationToken);
            default:
                throw new UnreachableException();
        }
    }

    private async ValueTask<bool> TryIdleAsync(CancellationToken cancellationToken)
    {
        if (timeout is { } most && clock.GetElapsedTime(lastChunk) >= most)
        {
            Tell(NativeEvents.Timeout, new CaughtUpEvent(read.Cursor.Value), WireJson.Contracts.CaughtUpEvent);
            await TryFlushAsync(cancellationToken);
            return false;
        }
        if (clock.GetElapsedTime(lastWrite) < HeartbeatInterval) return true;
        format.WriteHeartbeat(output);
        return await TryFlushAsync(cancellationToken);
    }

    private TimeSpan Wait()
    {
        var wait = HeartbeatInterval - clock.GetElapsedTime(lastWrite);
        if (timeout is { } most) wait = TimeSpan.FromTicks(Math.Min(wait.Ticks, (most - clock.GetElapsedTime(lastChunk)).Ticks));
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private void Tell<T>(string name, T data, JsonTypeInfo<T> contract)
    {
        format.WriteEvent(name, data, contract, output);
        unflushed++;
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
