using System.Diagnostics;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Read.Following;

/// <summary>
/// The one loop of reading: from the ring if the cursor is in it, else from what is stored, else wait. The tail was opened before the first
/// look at what is stored, so that nothing falls between the two; a hole in the tail only puts the cursor outside the ring.
/// </summary>
internal sealed class StreamRead(
    StreamAddress stream,
    ChunkIndex start,
    IStreamTail tail,
    IChunkLog log,
    IRunRegistry registry,
    ReadTelemetry telemetry,
    TimeProvider clock) : IStreamRead
{
    /// <summary>How long a reader of a stream that does not exist yet goes without looking whether its run has ended.</summary>
    private static readonly TimeSpan RunCheckInterval = TimeSpan.FromSeconds(5);

    /// <summary>Between attempts while the broker is away, or a replica lags behind its leader.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly ChunkIndex caughtUpAt = tail.NextIndex;
    private readonly ReadTelemetry.Reader measured = telemetry.Open();
    private IReadOnlyList<LogRecord> stored = [];
    private int nextStored;
    private LogRecord? last;
    private bool caughtUp;
    private long runCheckedAt = clock.GetTimestamp();

    public ChunkIndex Cursor { get; private set; } = start;

    public ChunkIndex NextIndex => tail.NextIndex;

    public long LastTimestamp => tail.LastTimestamp;

    public ValueTask<ReadStep> NextAsync(TimeSpan wait, CancellationToken cancellationToken) =>
        TryStep(out var step) ? new ValueTask<ReadStep>(step) : WaitForStepAsync(wait, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        measured.Dispose();
        await tail.DisposeAsync();
    }

    /// <summary>The next step, if it needs no waiting.</summary>
    private bool TryStep(out ReadStep step)
    {
        if (tail.Erased)
        {
            step = new ReadStep(ReadStepKind.Erased, Cursor);
            return true;
        }
        // Before anything is delivered: what was given up is in the ring, or in the batch at hand, still.
        if (Cursor < tail.FirstIndex)
        {
            step = new ReadStep(ReadStepKind.Trimmed, Cursor = tail.FirstIndex);
            return true;
        }
        if (TakeStored() is { } record || (record = tail.Find(Cursor)) is not null)
        {
            step = Deliver(record);
            return true;
        }
        if (!caughtUp && Cursor >= caughtUpAt)
        {
            caughtUp = true;
            step = new ReadStep(ReadStepKind.CaughtUp, Cursor);
            return true;
        }
        // The end is looked at before the last index: the tail sets them the other way round.
        if (tail.End is { } outcome && Cursor >= tail.NextIndex)
        {
            step = new ReadStep(ReadStepKind.Ended, tail.NextIndex, Outcome: outcome);
            return true;
        }
        step = default;
        return false;
    }

    private async ValueTask<ReadStep> WaitForStepAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            // Before the broker is asked: what ended the wait is in the ring, and every reader of the stream is here at the same moment.
            if (TryStep(out var step)) return step;
            if (Cursor < tail.NextIndex)
            {
                await CatchUpAsync(cancellationToken);
                if (TryStep(out step)) return step;
            }
            if (await FindEndOfRunAsync(cancellationToken) is { } outcome)
                return new ReadStep(ReadStepKind.Ended, tail.NextIndex, Outcome: outcome);

            var left = wait - clock.GetElapsedTime(began);
            if (left <= TimeSpan.Zero) return new ReadStep(ReadStepKind.Idle, Cursor);
            // Stored chunks that could not be read: the tail would not wait at all.
            if (Cursor < tail.NextIndex) await Task.Delay(Shorter(left, RetryDelay), clock, cancellationToken);
            else await tail.WaitAsync(Cursor, IsUnborn ? Shorter(left, RunCheckInterval) : left, cancellationToken);
        }
    }

    private bool IsUnborn => tail.NextIndex == ChunkIndex.Zero && tail.End is null;

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        using var span = ReadTelemetry.Activities.StartActivity("read.catch-up");
        span?.SetTag("realtimestreams.run", stream.Run.Value).SetTag("realtimestreams.stream", stream.Key.Value).SetTag("realtimestreams.cursor", Cursor.Value);
        try
        {
            stored = await log.ReadStoredAsync(stream, Cursor, last, cancellationToken);
            nextStored = 0;
            span?.SetTag("messaging.batch.message_count", stored.Count);
        }
        catch (LogUnavailableException)
        {
            span?.SetStatus(ActivityStatusCode.Error, "The broker is away.");
        }
    }

    /// <summary>The next record of the last batch that holds or follows the cursor. Batches do not outlive what they hold.</summary>
    private LogRecord? TakeStored()
    {
        while (nextStored < stored.Count)
        {
            var record = stored[nextStored++];
            if (nextStored == stored.Count) stored = [];
            if (stored.Count == 0) nextStored = 0;
            if (record.NextIndex > Cursor) return record;
        }
        return null;
    }

    private ReadStep Deliver(LogRecord record)
    {
        if (record.FirstIndex > Cursor)
        {
            // Only the first records of a stream can be missing: indexes are dense. Deliver it at the next step.
            Cursor = record.FirstIndex;
            stored = [record, .. stored.Skip(nextStored)];
            nextStored = 0;
            return new ReadStep(ReadStepKind.Trimmed, Cursor);
        }
        var from = Cursor;
        Cursor = record.NextIndex;
        last = record;
        measured.Delivered((int)(record.NextIndex.Value - from.Value), Math.Max(0, tail.NextIndex.Value - Cursor.Value)); // Stored records can be ahead of the tail.
        return new ReadStep(ReadStepKind.Chunks, from, record);
    }

    /// <summary>A stream that never came ends with its run.</summary>
    private async ValueTask<Outcome?> FindEndOfRunAsync(CancellationToken cancellationToken)
    {
        if (!IsUnborn || clock.GetElapsedTime(runCheckedAt) < RunCheckInterval) return null;
        runCheckedAt = clock.GetTimestamp();
        try
        {
            var run = await registry.FindBriefAsync(stream.Environment, stream.Run, cancellationToken);
            Outcome? outcome = run switch
            {
                null => Outcome.Cancelled, // Erased.
                { Status: RunStatus.Open } => null,
                { Status: var status } => (Outcome)status, // The statuses of ended runs have the numbers of their outcomes.
            };
            // The tail may have missed the stream's first records; the log's leader has not.
            return outcome is not null && await log.FindAsync(stream, cancellationToken) is null ? outcome : null;
        }
        catch (Exception exception) when (exception is RegistryUnavailableException or LogUnavailableException)
        {
            return null;
        }
    }

    private static TimeSpan Shorter(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
