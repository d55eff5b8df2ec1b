using System.Diagnostics;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Closing;

/// <summary>Ends a run's open streams with the run, and erases them with it. Repeating either changes nothing.</summary>
internal sealed partial class RunStreams(
    IChunkLog log, IRunRegistry registry, ILogger<RunStreams> logger) : IRunObserver
{
    // Each close is one round trip to the broker and one row in the registry.
    private const int Parallelism = 16;

    private static readonly StreamLimits noLimits = new(long.MaxValue, long.MaxValue); // An end without a chunk meets none.

    public async Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken)
    {
        var rows = await registry.ListStreamsAsync(environment, run, cancellationToken);
        var open = rows.Where(row => row.Outcome is null).ToList();
        await Parallel.ForEachAsync(
            open,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (row, token) => await CloseAsync(new StreamAddress(environment, run, row.Key), outcome, token));
        LogClosed(run, open.Count, outcome);
    }

    public Task OnErasingAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        log.EraseAsync(environment, run, cancellationToken);

    private async Task CloseAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken)
    {
        var ended = await log.CloseAsync(stream, outcome, null, noLimits, cancellationToken) switch
        {
            CloseOutcome.Closed closed => closed.Outcome,
            // Its writer ended it first, otherwise than the run.
            CloseOutcome.Refused { Refusal.Code: var code } when code == ErrorCode.StreamClosed =>
                (await log.FindAsync(stream, cancellationToken))?.End ?? outcome,
            CloseOutcome.Refused { Refusal: var refusal } =>
                throw new LogUnavailableException($"The stream {stream.Key} of run {stream.Run} could not be ended: {refusal.Detail}"),
            _ => throw new UnreachableException(),
        };
        await registry.MarkClosedAsync(stream, ended, cancellationToken);
    }

    [LoggerMessage(EventId = 1110, Level = LogLevel.Debug, Message = "Ended {Count} streams of run {Run} as {Outcome}")]
    private partial void LogClosed(RunId run, int count, Outcome outcome);
}
