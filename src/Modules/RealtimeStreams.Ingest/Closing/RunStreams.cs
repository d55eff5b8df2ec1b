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

    // In memory at a time, and closed within a second or so.
    private const int PageSize = 500;

    private static readonly StreamLimits noLimits = new(long.MaxValue, long.MaxValue); // An end without a chunk meets none.

    public async Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken)
    {
        var count = 0;
        IReadOnlyList<StreamRow> page = [];
        do
        {
            // A run of 100,000 streams takes a minute. One that is erased meanwhile has none any more: what would be closed then would be left for good.
            page = await registry.ListOpenStreamsAsync(environment, run, page.Count == 0 ? null : page[^1].Key, PageSize, cancellationToken);
            await Parallel.ForEachAsync(
                page,
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                async (row, token) => await CloseAsync(new StreamAddress(environment, run, row.Key), outcome, token));
            count += page.Count;
        }
        while (page.Count == PageSize);
        LogClosed(run, count, outcome);
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
