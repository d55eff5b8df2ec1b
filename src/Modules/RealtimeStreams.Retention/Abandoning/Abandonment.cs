using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Abandoning;

/// <summary>Closes the streams whose writers have been gone for longer than their lease.</summary>
/// <remarks>
/// For each stream whose noted time is over: 1. The log's leader tells the last append; if that is younger than the lease, nothing is wrong, and the row is told until when. 2. If not, the
/// row is doubted for a while, in which a connection that is open somewhere renews it. 3. Found once more, it is closed, if nothing was appended since step 1: the log decides that in
/// the same step, so that of a close and a returning writer one is first, and the other learns it. 4. The row is marked with the end that the log has.
/// Every change of the row expects what was found, so that of several nodes one goes on; who dies in between leaves a row that is found again.
/// What cannot be found out is put off and begins anew, so that rows that fail, however many, do not stand before all others for ever.
/// </remarks>
internal sealed partial class Abandonment(
    IWriterLeases leases,
    IRunRegistry registry,
    IChunkLog log,
    IOptions<SweepOptions> options,
    RetentionTelemetry telemetry,
    TimeProvider clock,
    ILogger<Abandonment> logger)
{
    // Each stream is a question to the broker, and a close another.
    private const int Parallelism = 16;

    // A close adds no chunk that could exceed them.
    private static readonly StreamLimits noLimits = new(long.MaxValue, long.MaxValue);

    /// <summary>Takes up to <see cref="SweepOptions.MaxStreams"/> streams one step further.</summary>
    /// <returns>Whether there may be more, and it makes sense to go on soon.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        var most = options.Value.MaxStreams;
        var found = await leases.FindExpiredAsync(most, cancellationToken);
        var failed = 0;
        await Parallel.ForEachAsync(
            found,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (lease, token) =>
            {
                if (!await TryTakeUpAsync(lease, token)) Interlocked.Increment(ref failed);
            });
        return found.Count == most && failed < most;
    }

    private async Task<bool> TryTakeUpAsync(ExpiredLease lease, CancellationToken cancellationToken)
    {
        try
        {
            await TakeUpAsync(lease, cancellationToken);
            return true;
        }
        catch (LogUnavailableException exception)
        {
            LogLogUnavailable(lease.Stream.Key, lease.Stream.Run, exception); // Writers cannot reach it either.
        }
        catch (Exception exception) when (exception is not RegistryUnavailableException && !cancellationToken.IsCancellationRequested)
        {
            LogFailed(lease.Stream.Key, lease.Stream.Run, exception);
        }
        await leases.ProlongAsync(lease, clock.GetUtcNow() + options.Value.LeaseGrace, cancellationToken); // The others do not wait for it, nor does it end by a doubt from before the outage.
        return false;
    }

    private async Task TakeUpAsync(ExpiredLease lease, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var stored = await log.FindAsync(lease.Stream, cancellationToken);
        if (stored?.End is { } end)
        {
            await registry.MarkClosedAsync(lease.Stream, end, cancellationToken); // Whoever ended it could not.
        }
        else if (stored?.LastAppendAt + lease.Lease is { } until && until > now)
        {
            await leases.ProlongAsync(lease, until, cancellationToken);
        }
        else if (await leases.DoubtAsync(lease, now + options.Value.LeaseGrace, cancellationToken) && lease.IsDoubted)
        {
            await CloseAsync(lease, stored?.NextIndex ?? ChunkIndex.Zero, cancellationToken);
        }
    }

    private async Task CloseAsync(ExpiredLease lease, ChunkIndex expected, CancellationToken cancellationToken)
    {
        using var activity = telemetry.StartAbandon(lease.Stream);
        var nothingSince = new ChunkBatch(1) { ExpectedIndex = expected.Value };
        switch (await log.CloseAsync(lease.Stream, Outcome.Abandoned, nothingSince, noLimits, cancellationToken))
        {
            case CloseOutcome.Closed closed:
                if (!closed.AlreadyClosed)
                {
                    telemetry.Abandoned();
                    LogAbandoned(lease.Stream.Key, lease.Stream.Run, lease.Stream.Environment, closed.Next, lease.Lease);
                }
                await registry.MarkClosedAsync(lease.Stream, Outcome.Abandoned, cancellationToken);
                break;
            case CloseOutcome.Refused { Refusal.Code: var code } when code == ErrorCode.IndexMismatch || code == ErrorCode.StreamClosed:
                break; // Written, or ended otherwise, just now. The next look finds out what to note.
            case CloseOutcome.Refused { Refusal: var refusal }:
                throw new LogUnavailableException($"The stream could not be closed: {refusal.Detail}");
            default:
                throw new UnreachableException();
        }
    }

    [LoggerMessage(EventId = 1304, Level = LogLevel.Information,
        Message = "Closed {Stream} of run {Run} of {Environment} as abandoned after {Chunks} chunks: its writers were gone for longer than {Lease}")]
    private partial void LogAbandoned(StreamKey stream, RunId run, EnvironmentId environment, ChunkIndex chunks, TimeSpan lease);

    [LoggerMessage(EventId = 1305, Level = LogLevel.Warning, Message = "Whether {Stream} of run {Run} is abandoned could not be found out; it is tried again later")]
    private partial void LogLogUnavailable(StreamKey stream, RunId run, Exception exception);

    [LoggerMessage(EventId = 1306, Level = LogLevel.Error, Message = "Whether {Stream} of run {Run} is abandoned could not be found out; it is tried again later")]
    private partial void LogFailed(StreamKey stream, RunId run, Exception exception);
}
