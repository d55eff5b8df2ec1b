using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>The receipt of a request to stop: the registry knows who asked and saw it, the log how far the streams went.</summary>
internal sealed class StopTexts(IRunRegistry registry, IChunkLog log)
{
    // Each stream is one request to the broker, about 0.3 ms.
    private const int Parallelism = 16;

    public async Task<StopReceipt> TellAsync(EnvironmentId environment, Run run, CancellationToken cancellationToken)
    {
        var stop = run.Stop;
        // While its streams are being ended their last indexes are not known yet: then a run that was asked to stop has not done so.
        var isStopped = run.IsSettled || (stop is null && run.Status != RunStatus.Open);
        return new StopReceipt(
            run.Id.Value,
            isStopped ? StopState.Stopped : stop?.SeenAt is null ? StopState.Requested : StopState.Seen,
            stop?.RequestedAt,
            stop?.Reason,
            stop?.By,
            stop?.SeenAt,
            stop?.SeenBy,
            isStopped ? run.CompletedAt : null,
            isStopped ? OutcomeOf(run.Status) : null,
            run.IsSettled ? await FindStreamsAsync(environment, run.Id, cancellationToken) : null);
    }

    private async Task<IReadOnlyList<StoppedStream>> FindStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        var rows = await registry.ListStreamsAsync(environment, run, cancellationToken);
        var streams = new StoppedStream[rows.Count];
        await Parallel.ForAsync(
            0,
            rows.Count,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var stored = await log.FindAsync(new StreamAddress(environment, run, rows[i].Key), token);
                streams[i] = new StoppedStream(rows[i].Key.Value, stored?.NextIndex.Value ?? 0);
            });
        return streams;
    }

    // The statuses of ended runs have the numbers of their outcomes.
    private static Outcome OutcomeOf(RunStatus status) => (Outcome)status;
}
