using System.Diagnostics;
using System.IO.Pipelines;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>Sends a read to a client until a limit is reached, the stream ends, nothing came for as long as the client waits, or either side goes.</summary>
/// <remarks>It holds one batch, of records that others read too. A client that does not read holds up the flush, and so the cursor.</remarks>
/// <param name="read">The read.</param>
/// <param name="request">Its limits.</param>
/// <param name="format">How it looks on the wire.</param>
/// <param name="batch">Takes the records.</param>
/// <param name="output">The answer's body.</param>
/// <param name="news">What the reader is told beside the stream; null: nothing.</param>
/// <param name="clock">The time.</param>
/// <param name="graceOver">Gives up a write that is under way.</param>
internal sealed class ReadSession(
    IStreamRead read, ReadRequest request, RecordFormat format, RecordBatch batch, PipeWriter output, FeedNews? news, TimeProvider clock, CancellationToken graceOver)
{
    // Clients give up after 20 s without a frame, and 25 s without an event.
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(10);

    private readonly bool follows = request.IsUnlimited || request.Wait > TimeSpan.Zero;
    private long lastWrite = clock.GetTimestamp();
    private long lastRecord = clock.GetTimestamp();
    private FeedNews? awaited = news;
    private bool caughtUp;

    /// <summary>Sends until there is a reason to end.</summary>
    /// <param name="cancellationToken">Ends the session by an exception, once a write that is under way has ended.</param>
    /// <returns>The error that ended it; null when all was given.</returns>
    public async Task<S2Error?> SendAsync(CancellationToken cancellationToken)
    {
        using var either = awaited is null ? null : CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, awaited.Come);
        while (!batch.IsLast)
        {
            cancellationToken.ThrowIfCancellationRequested(); // A step that is at hand does not ask.
            if (awaited is { Come.IsCancellationRequested: true }) await TellNewsAsync(awaited);
            ReadStep step;
            try
            {
                // With records in hand, only what is at hand is waited for; then they go out.
                step = await read.NextAsync(batch.Count > 0 ? TimeSpan.Zero : Wait(), awaited is null ? cancellationToken : either!.Token);
            }
            catch (OperationCanceledException) when (awaited is { Come.IsCancellationRequested: true } && !cancellationToken.IsCancellationRequested)
            {
                continue; // The wait for a step was cut short, and nothing was taken.
            }
            switch (step.Kind)
            {
                case ReadStepKind.Chunks:
                    batch.Take(step.Record!, step.From);
                    lastRecord = clock.GetTimestamp();
                    while (batch.IsFull)
                    {
                        if (await SendBatchAsync() is { } fault) return fault;
                    }
                    break;
                case ReadStepKind.CaughtUp:
                    if (await SendBatchAsync() is { } late) return late;
                    if (!follows || request.Wait == TimeSpan.Zero) return null;
                    caughtUp = true;
                    await BeatAsync();
                    break;
                case ReadStepKind.Trimmed:
                    break; // The next record's number says so.
                case ReadStepKind.Ended:
                    return await SendBatchAsync();
                case ReadStepKind.Erased:
                    return S2Error.StreamNotFound("The stream was deleted while it was being read.");
                case ReadStepKind.Idle when batch.Count > 0:
                    if (await SendBatchAsync() is { } error) return error;
                    break;
                case ReadStepKind.Idle:
                    if (request.Wait is { } most && caughtUp && clock.GetElapsedTime(lastRecord) >= most) return null;
                    if (clock.GetElapsedTime(lastWrite) >= HeartbeatInterval) await BeatAsync();
                    break;
                default:
                    throw new UnreachableException();
            }
        }
        return await SendBatchAsync();
    }

    private TimeSpan Wait()
    {
        var wait = HeartbeatInterval - clock.GetElapsedTime(lastWrite);
        if (caughtUp && request.Wait is { } most) wait = TimeSpan.FromTicks(Math.Min(wait.Ticks, (most - clock.GetElapsedTime(lastRecord)).Ticks));
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private async ValueTask<S2Error?> SendBatchAsync()
    {
        if (batch.Count == 0) return null;
        StreamPosition? tail = batch.Next >= read.NextIndex ? Tail : null;
        if (format.WriteBatch(batch, tail, output) is { } error) return error;
        batch.Clear();
        await FlushAsync();
        return null;
    }

    private ValueTask BeatAsync()
    {
        format.WriteHeartbeat(Tail, output);
        return FlushAsync();
    }

    private StreamPosition Tail => new(read.NextIndex.Value, read.LastTimestamp);

    /// <summary>Tells it, and no client takes it for a sign of life.</summary>
    private async ValueTask TellNewsAsync(FeedNews come)
    {
        awaited = null;
        come.Write(output);
        var before = lastWrite;
        await FlushAsync();
        lastWrite = before;
    }

    private async ValueTask FlushAsync()
    {
        var result = await output.FlushAsync(graceOver);
        lastWrite = clock.GetTimestamp();
        if (result.IsCompleted || result.IsCanceled) throw new OperationCanceledException("The client has gone.");
    }
}
