using System.Diagnostics;
using System.IO.Pipelines;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>Sends a read to a client until a limit is reached, the stream ends, nothing came for as long as the client waits, or either side goes.</summary>
/// <remarks>It holds one batch, of records that others read too. A client that does not read holds up the flush, and so the cursor.</remarks>
internal sealed class ReadSession(IStreamRead read, ReadRequest request, RecordFormat format, RecordBatch batch, PipeWriter output, TimeProvider clock)
{
    // Clients give up after 20 s without a frame, and 25 s without an event.
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(10);

    private readonly bool follows = request.IsUnlimited || request.Wait > TimeSpan.Zero;
    private long lastWrite = clock.GetTimestamp();
    private long lastRecord = clock.GetTimestamp();
    private bool caughtUp;

    /// <summary>Sends until there is a reason to end.</summary>
    /// <returns>The error that ended it; null when all was given.</returns>
    public async Task<S2Error?> SendAsync(CancellationToken cancellationToken)
    {
        while (!batch.IsLast)
        {
            cancellationToken.ThrowIfCancellationRequested(); // A step that is at hand does not ask.
            // With records in hand, only what is at hand is waited for; then they go out.
            var step = await read.NextAsync(batch.Count > 0 ? TimeSpan.Zero : Wait(), cancellationToken);
            switch (step.Kind)
            {
                case ReadStepKind.Chunks:
                    batch.Take(step.Record!, step.From);
                    lastRecord = clock.GetTimestamp();
                    while (batch.IsFull)
                    {
                        if (await SendBatchAsync(cancellationToken) is { } fault) return fault;
                    }
                    break;
                case ReadStepKind.CaughtUp:
                    if (await SendBatchAsync(cancellationToken) is { } late) return late;
                    if (!follows || request.Wait == TimeSpan.Zero) return null;
                    caughtUp = true;
                    await BeatAsync(cancellationToken);
                    break;
                case ReadStepKind.Trimmed:
                    break; // The next record's number says so.
                case ReadStepKind.Ended:
                    return await SendBatchAsync(cancellationToken);
                case ReadStepKind.Erased:
                    return S2Error.StreamNotFound("The stream was deleted while it was being read.");
                case ReadStepKind.Idle when batch.Count > 0:
                    if (await SendBatchAsync(cancellationToken) is { } error) return error;
                    break;
                case ReadStepKind.Idle:
                    if (request.Wait is { } most && caughtUp && clock.GetElapsedTime(lastRecord) >= most) return null;
                    if (clock.GetElapsedTime(lastWrite) >= HeartbeatInterval) await BeatAsync(cancellationToken);
                    break;
                default:
                    throw new UnreachableException();
            }
        }
        return await SendBatchAsync(cancellationToken);
    }

    private TimeSpan Wait()
    {
        var wait = HeartbeatInterval - clock.GetElapsedTime(lastWrite);
        if (caughtUp && request.Wait is { } most) wait = TimeSpan.FromTicks(Math.Min(wait.Ticks, (most - clock.GetElapsedTime(lastRecord)).Ticks));
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private async ValueTask<S2Error?> SendBatchAsync(CancellationToken cancellationToken)
    {
        if (batch.Count == 0) return null;
        StreamPosition? tail = batch.Next >= read.NextIndex ? Tail : null;
        if (format.WriteBatch(batch, tail, output) is { } error) return error;
        batch.Clear();
        await FlushAsync(cancellationToken);
        return null;
    }

    private ValueTask BeatAsync(CancellationToken cancellationToken)
    {
        format.WriteHeartbeat(Tail, output);
        return FlushAsync(cancellationToken);
    }

    private StreamPosition Tail => new(read.NextIndex.Value, read.LastTimestamp);

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var result = await output.FlushAsync(cancellationToken);
        lastWrite = clock.GetTimestamp();
        if (result.IsCompleted || result.IsCanceled) throw new OperationCanceledException("The client has gone.");
    }
}
