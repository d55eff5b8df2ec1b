using System.Buffers;
using System.IO.Pipelines;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>Stores an open-ended body of lines as it comes.</summary>
/// <remarks>
/// 1. Take lines from the pipe while it has some at hand. 2. Submit a batch when it is full, or when the pipe has run dry.
/// 3. Run dry, wait for all that is in flight, so that a refusal is told at once; then wait for the pipe. What comes meanwhile is
/// the next batch. With a full window the pipe is not read, which slows the sender down. Whether the stream may be written, and within
/// which limits, is asked for batch by batch: a body may be open for days, and meanwhile its run may end or be erased.
/// </remarks>
internal sealed class LinesBody(
    IChunkLog log, LimitedLog limited, IRunRegistry registry, StreamAddress stream, StreamAdmission.Admitted admitted, ProducerPosition? producer, PipeReader body,
    IngestTelemetry telemetry)
{
    // With a producer the log refuses what follows a refused batch (a gap in the sequence), so that several can be in flight.
    // Without one it would store it, behind a hole: only one is in flight then, and the next is parsed meanwhile.
    private readonly Confirmations confirmations = new(producer is null ? 1 : 4, telemetry);
    private readonly LineReader lines = new(log.MaxChunkBytes);
    private ChunkBatch? batch;
    private long submitted;

    public async Task<IngestOutcome> StoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            var cut = await TakeAllAsync(cancellationToken);
            if (cut is null && lines.Fault is null && confirmations.Refused is null) EndLastLine();
            batch?.DropPending(); // A line that is at fault or was cut.
            await SubmitAsync();
            await confirmations.WaitForAllAsync();
            return await ConcludeAsync(cut, cancellationToken);
        }
        finally
        {
            batch?.Dispose();
        }
    }

    private async Task<Exception?> TakeAllAsync(CancellationToken cancellationToken)
    {
        while (lines.Fault is null && confirmations.Refused is null)
        {
            ReadResult result;
            try
            {
                if (!body.TryRead(out result))
                {
                    await SubmitAsync(); // Step 3. Does not throw what the pipe throws: the log answers with values.
                    await confirmations.WaitForAllAsync();
                    if (confirmations.Refused is not null) break;
                    result = await body.ReadAsync(cancellationToken);
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                return exception;
            }
            if (result.IsCanceled) return new OperationCanceledException("Reading the body was cancelled.");
            await TakeAsync(result.Buffer);
            body.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) break;
        }
        return null;
    }

    private async ValueTask TakeAsync(ReadOnlySequence<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            batch ??= NewBatch(bytes.Length);
            bytes = bytes.Slice(lines.Take(bytes, batch));
            if (lines.Fault is not null) return;
            if (bytes.IsEmpty) return;
            await SubmitAsync();
            if (confirmations.Refused is not null) return;
        }
    }

    private void EndLastLine()
    {
        if (batch is not null) lines.TakeRest(batch);
    }

    private async ValueTask SubmitAsync()
    {
        if (batch is null || confirmations.Refused is not null) return;
        if (batch.Count == 0)
        {
            if (batch.Pending.IsEmpty) Drop();
            return;
        }
        if (confirmations.Full) await confirmations.WaitForOldestAsync();
        if (confirmations.Refused is not null) return;
        var admission = await AdmitAsync();
        if (admission is null) return;
        var full = batch;
        batch = null;
        if (!full.Pending.IsEmpty)
        {
            batch = NewBatch(full.Pending.Length);
            batch.Write(full.Pending);
            full.DropPending();
        }
        full.FirstSequence = (producer?.Sequence ?? 0) + submitted;
        submitted += full.Count;
        // Not cancelled with the request: what was read is stored, whether or not the sender waits for it.
        var bytes = full.Length;
        confirmations.Add(limited.AppendAsync(stream, admission, full, CancellationToken.None), bytes);
    }

    /// <summary>Null when nothing more is admitted: then all that is in flight is confirmed, and the refusal stands behind it.</summary>
    private async ValueTask<StreamAdmission.Admitted?> AdmitAsync()
    {
        Refusal refusal;
        try
        {
            var admission = await registry.AdmitAgainAsync(stream, admitted, null, CancellationToken.None); // From memory, but for once in half a minute.
            if (admission is StreamAdmission.Admitted still) return still;
            refusal = ((StreamAdmission.Refused)admission).Refusal;
        }
        catch (RegistryUnavailableException)
        {
            refusal = new Refusal(ErrorCode.RegistryUnavailable, "The registry cannot be reached. What was confirmed is stored; send the rest again.");
        }
        await confirmations.RefuseAsync(refusal);
        return null;
    }

    // An idle body holds no batch.
    private void Drop()
    {
        batch?.Dispose();
        batch = null;
    }

    private ChunkBatch NewBatch(long bytes) =>
        new((int)Math.Clamp(bytes, 4096, LineReader.FullBytes)) { Producer = producer?.Id, Epoch = producer?.Epoch ?? 0 };

    private async Task<IngestOutcome> ConcludeAsync(Exception? cut, CancellationToken cancellationToken)
    {
        var receipt = confirmations.Receipt;
        if (confirmations.Refused is { } refused) return new IngestOutcome.Refused(refused.Refusal, receipt, refused.ExpectedSequence);
        if (lines.Fault is { } fault) return new IngestOutcome.Refused(fault, receipt);
        if (cut is not null) return new IngestOutcome.Interrupted(receipt, cut);
        return new IngestOutcome.Stored(receipt ?? await EmptyReceipt.FindAsync(log, stream, producer, cancellationToken));
    }
}
