using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Appending;

internal sealed partial class Appender(
    IChunkLog log, LimitedLog limited, IRunRegistry registry, IOpenWriters writers, IngestTelemetry telemetry, ILogger<Appender> logger) : IAppender
{
    public async Task<IngestOutcome> AppendAsync(
        StreamAddress stream, AppendRequest request, PipeReader body, CancellationToken cancellationToken)
    {
        if (request is { Body: BodyKind.Lines, IdempotencyKey: not null })
            throw new ArgumentException("An idempotency key covers one batch, and lines are stored in several.", nameof(request));
        using var activity = IngestTelemetry.StartAppend(stream);
        var outcome = request.Body == BodyKind.Lines
            ? await StoreLinesAsync(stream, request, body, cancellationToken)
            : await StoreWholeAsync(stream, request, body, cancellationToken);
        if (outcome is IngestOutcome.Refused { Refusal.Code: var code } closed && code == ErrorCode.StreamClosed)
            outcome = closed with { Refusal = await ExplainAsync(stream, closed.Refusal, cancellationToken) };
        Note(stream, outcome, activity);
        return outcome;
    }

    public async Task<AppendOutcome> AppendAsync(
        StreamAddress stream, ChunkBatch batch, TimeSpan? writerLease, RunBinding? binding, CancellationToken cancellationToken)
    {
        using var activity = IngestTelemetry.StartAppend(stream);
        var outcome = await StoreAsync(stream, batch, writerLease, binding, cancellationToken);
        if (outcome is AppendOutcome.Refused { Refusal.Code: var code } closed && code == ErrorCode.StreamClosed)
            outcome = closed with { Refusal = await ExplainAsync(stream, closed.Refusal, cancellationToken) };
        switch (outcome)
        {
            case AppendOutcome.Stored stored:
                NoteStored(stream, stored.Added, stored.Duplicates, activity);
                break;
            case AppendOutcome.Refused { Refusal: var refusal }:
                NoteRefused(stream, refusal, activity);
                break;
        }
        return outcome;
    }

    public async Task<CloseOutcome> CloseAsync(StreamAddress stream, CloseRequest request, CancellationToken cancellationToken)
    {
        using var activity = IngestTelemetry.StartClose(stream);
        var outcome = await EndAsync(stream, request, cancellationToken);
        switch (outcome)
        {
            case CloseOutcome.Closed closed:
                LogClosed(stream.Run, stream.Key, closed.Outcome);
                break;
            case CloseOutcome.Refused { Refusal: var refusal }:
                NoteRefused(stream, refusal, activity);
                break;
        }
        return outcome;
    }

    private async Task<AppendOutcome> StoreAsync(
        StreamAddress stream, ChunkBatch batch, TimeSpan? writerLease, RunBinding? binding, CancellationToken cancellationToken)
    {
        var owned = batch;
        try
        {
            var admission = binding?.Admitted is { } before
                ? await registry.AdmitAgainAsync(stream, before, writerLease, cancellationToken)
                : await registry.AdmitAsync(stream, writerLease, cancellationToken);
            if (admission is StreamAdmission.Refused refused) return new AppendOutcome.Refused(refused.Refusal);
            binding?.Admitted ??= (StreamAdmission.Admitted)admission;
            var (bytes, started) = (batch.Length, Stopwatch.GetTimestamp());
            owned = null;
            var outcome = await limited.AppendAsync(stream, (StreamAdmission.Admitted)admission, batch, cancellationToken);
            if (outcome is AppendOutcome.Stored stored) telemetry.Confirmed(stored.Added, stored.Duplicates, bytes, Stopwatch.GetElapsedTime(started));
            return outcome;
        }
        finally
        {
            owned?.Dispose();
        }
    }

    private async Task<IngestOutcome> StoreLinesAsync(
        StreamAddress stream, AppendRequest request, PipeReader body, CancellationToken cancellationToken)
    {
        var admission = await registry.AdmitAsync(stream, request.WriterLease, cancellationToken);
        if (admission is StreamAdmission.Refused refused) return new IngestOutcome.Refused(refused.Refusal);
        using var writer = writers.Enter(stream);
        return await new LinesBody(log, limited, registry, stream, (StreamAdmission.Admitted)admission, request.Producer, body, telemetry).StoreAsync(cancellationToken);
    }

    // The body comes first: one that is refused leaves no stream behind.
    private async Task<IngestOutcome> StoreWholeAsync(
        StreamAddress stream, AppendRequest request, PipeReader body, CancellationToken cancellationToken)
    {
        var batch = NewBatch(request.Producer, request.IdempotencyKey, request.BodyLength);
        try
        {
            if (await WholeBody.ReadAsync(request, body, batch, log.MaxChunkBytes, cancellationToken) is { } refusal)
                return new IngestOutcome.Refused(refusal);
            var admission = await registry.AdmitAsync(stream, request.WriterLease, cancellationToken);
            if (admission is StreamAdmission.Refused foreign) return new IngestOutcome.Refused(foreign.Refusal);
            if (batch.Count == 0)
                return new IngestOutcome.Stored(await EmptyReceipt.FindAsync(log, stream, request.Producer, cancellationToken));
            var confirmations = new Confirmations(1, telemetry);
            var (owned, bytes) = (batch, batch.Length);
            batch = null;
            confirmations.Add(limited.AppendAsync(stream, (StreamAdmission.Admitted)admission, owned, cancellationToken), bytes);
            await confirmations.WaitForAllAsync();
            return confirmations.Refused is { } refused
                ? new IngestOutcome.Refused(refused.Refusal, null, refused.ExpectedSequence)
                : new IngestOutcome.Stored(confirmations.Receipt!);
        }
        catch (Exception exception) when (batch is not null && exception is IOException or OperationCanceledException)
        {
            return new IngestOutcome.Interrupted(null, exception);
        }
        finally
        {
            batch?.Dispose();
        }
    }

    private async Task<CloseOutcome> EndAsync(StreamAddress stream, CloseRequest request, CancellationToken cancellationToken)
    {
        var last = request.FinalChunk is { } chunk ? NewBatch(request.Producer, null, chunk.Length) : null;
        try
        {
            if (last is not null && WholeBody.TakeValue(request.FinalChunk!.Value.Span, last, log.MaxChunkBytes) is { } fault) return new CloseOutcome.Refused(fault);
            var admission = await registry.AdmitAsync(stream, cancellationToken);
            if (admission is StreamAdmission.Refused refused) return await AgreeAsync(stream, request, refused.Refusal, cancellationToken);
            var owned = last;
            last = null;
            var outcome = await limited.CloseAsync(stream, (StreamAdmission.Admitted)admission, request.Outcome, owned, cancellationToken);
            if (outcome is CloseOutcome.Closed closed) await MarkAsync(stream, closed.Outcome, cancellationToken);
            return outcome;
        }
        finally
        {
            last?.Dispose();
        }
    }

    // The log is the truth about the end. A row that misses it is put right when the run ends.
    private async Task MarkAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken)
    {
        try
        {
            await registry.MarkClosedAsync(stream, outcome, cancellationToken);
        }
        catch (RegistryUnavailableException exception)
        {
            LogNotMarked(stream.Run, stream.Key, exception);
        }
    }

    /// <summary>A repeated close of a stream whose run has ended since succeeds, when it ended just so.</summary>
    private async Task<CloseOutcome> AgreeAsync(
        StreamAddress stream, CloseRequest request, Refusal refusal, CancellationToken cancellationToken)
    {
        if (refusal.Code != ErrorCode.RunCompleted || request.FinalChunk is not null) return new CloseOutcome.Refused(refusal);
        var summary = await log.FindAsync(stream, cancellationToken);
        return summary?.End == request.Outcome
            ? new CloseOutcome.Closed(summary.NextIndex, request.Outcome, AlreadyClosed: true)
            : new CloseOutcome.Refused(refusal);
    }

    /// <summary>An ended run is the better reason; the admission may have come from memory.</summary>
    private async Task<Refusal> ExplainAsync(StreamAddress stream, Refusal closed, CancellationToken cancellationToken) =>
        await registry.FindBriefAsync(stream.Environment, stream.Run, cancellationToken) is { Status: not RunStatus.Open } run
            ? new Refusal(ErrorCode.RunCompleted, $"The run ended as {run.Status}; its streams take nothing more.")
            : closed;

    private void Note(StreamAddress stream, IngestOutcome outcome, Activity? activity)
    {
        switch (outcome)
        {
            case IngestOutcome.Stored { Receipt: var receipt }:
                NoteStored(stream, receipt.Stored, receipt.Duplicates, activity);
                break;
            case IngestOutcome.Refused { Refusal: var refusal }:
                NoteRefused(stream, refusal, activity);
                break;
            case IngestOutcome.Interrupted { Receipt: var receipt }:
                LogInterrupted(stream.Run, stream.Key, receipt?.Stored ?? 0);
                break;
        }
    }

    private void NoteStored(StreamAddress stream, long added, long duplicates, Activity? activity)
    {
        activity?.SetTag("realtimestreams.chunks", added);
        LogAppended(stream.Run, stream.Key, added, duplicates);
    }

    private void NoteRefused(StreamAddress stream, Refusal refusal, Activity? activity)
    {
        telemetry.Refused(refusal.Code, activity);
        LogRefused(stream.Run, stream.Key, refusal.Code.Code);
    }

    private static ChunkBatch NewBatch(ProducerPosition? producer, string? idempotencyKey, long? bytes) =>
        new((int)Math.Clamp(bytes ?? 0, 1024, LineReader.FullBytes))
        {
            Producer = producer?.Id,
            Epoch = producer?.Epoch ?? 0,
            FirstSequence = producer?.Sequence ?? 0,
            IdempotencyKey = idempotencyKey,
        };

    [LoggerMessage(EventId = 1101, Level = LogLevel.Debug, Message = "Appended {Count} chunks to {Stream} of run {Run}; {Duplicates} had been stored before")]
    private partial void LogAppended(RunId run, StreamKey stream, long count, long duplicates);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Debug, Message = "Refused chunks for {Stream} of run {Run}: {Code}")]
    private partial void LogRefused(RunId run, StreamKey stream, string code);

    [LoggerMessage(EventId = 1103, Level = LogLevel.Debug, Message = "A body for {Stream} of run {Run} broke off; {Count} chunks of it are stored")]
    private partial void LogInterrupted(RunId run, StreamKey stream, long count);

    [LoggerMessage(EventId = 1104, Level = LogLevel.Debug, Message = "Closed {Stream} of run {Run} as {Outcome}")]
    private partial void LogClosed(RunId run, StreamKey stream, Outcome outcome);

    [LoggerMessage(EventId = 1105, Level = LogLevel.Warning, Message = "{Stream} of run {Run} has ended, but its row could not be marked; that is repeated when the run ends")]
    private partial void LogNotMarked(RunId run, StreamKey stream, Exception exception);
}
