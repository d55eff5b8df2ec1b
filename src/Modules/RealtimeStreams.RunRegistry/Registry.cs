using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Admitting;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Listing;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry;

/// <summary>The registry: what is more than a query stands with its idea.</summary>
internal sealed class Registry(
    RegistryDatabase database,
    RunRegistrar registrar,
    RunLister lister,
    StreamAdmitter admitter,
    RunCache cache,
    RunCompletion completion,
    RunErasure erasure,
    Repetition repetition) : IRunRegistry
{
    public Task<RegisterOutcome> RegisterAsync(
        EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken) =>
        registrar.RegisterAsync(environment, registration, cancellationToken);

    public async Task<Run?> FindAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        Told(environment, await database.FindRunAsync(environment, run, cancellationToken));

    public async Task<Run?> FindBriefAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        var row = await database.ReadAsync("find", (context, token) => context.LivingRuns
            .SingleOrDefaultAsync(there => there.Environment == environment.Value && there.Id == run.Value, token), cancellationToken);
        return Told(environment, row?.ToRun());
    }

    public async ValueTask<RunFamily?> FindFamilyAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        if (cache.FindFamily(environment, run) is { } known) return known;
        var memory = cache.Open(environment, run);
        if (await FindBriefAsync(environment, run, cancellationToken) is not { } there) return null;
        var family = new RunFamily(there.Parent, there.Root);
        cache.Remember(memory, family);
        return family;
    }

    public Task<RunListOutcome> ListAsync(EnvironmentId environment, RunQuery query, CancellationToken cancellationToken) =>
        lister.ListAsync(environment, query, cancellationToken);

    public Task<CompleteOutcome> CompleteAsync(
        EnvironmentId environment, RunId run, RunEnd end, CancellationToken cancellationToken) =>
        completion.CompleteAsync(environment, run, end, cancellationToken);

    public async Task<bool> EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        if (await erasure.BeginAsync(environment, run, "the server", cancellationToken) is null) return false;
        await erasure.FirstPassAsync(environment, run, CancellationToken.None); // Whether or not the caller still waits.
        return true;
    }

    public ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, CancellationToken cancellationToken) =>
        admitter.AdmitAsync(stream, null, null, cancellationToken);

    public ValueTask<StreamAdmission> AdmitAsync(StreamAddress stream, TimeSpan? writerLease, CancellationToken cancellationToken) =>
        admitter.AdmitAsync(stream, null, writerLease, cancellationToken);

    public ValueTask<StreamAdmission> AdmitAgainAsync(
        StreamAddress stream, StreamAdmission.Admitted before, TimeSpan? writerLease, CancellationToken cancellationToken) =>
        admitter.AdmitAsync(stream, before, writerLease, cancellationToken);

    public async Task<IReadOnlyList<StreamRow>> ListStreamsAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        var rows = await database.ReadAsync("list_streams", (context, token) => context.Streams
            .Where(row => row.Environment == environment.Value && row.Run == run.Value)
            .OrderBy(row => row.Key)
            .ToListAsync(token), cancellationToken);
        return rows.ConvertAll(ToRow);
    }

    public async Task<IReadOnlyList<StreamRow>> ListOpenStreamsAsync(
        EnvironmentId environment, RunId run, StreamKey? after, int most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 1000);
        var (tenant, id, behind) = (environment.Value, run.Value, after?.Value ?? ""); // No key is empty.
        var rows = await database.ReadAsync("list_open_streams", (context, token) => context.Streams
            .Where(row => row.Environment == tenant && row.Run == id && string.Compare(row.Key, behind) > 0 && row.Outcome == null)
            .Where(row => context.LivingRuns.Any(there => there.Environment == tenant && there.Id == id))
            .OrderBy(row => row.Key)
            .Take(most)
            .ToListAsync(token), cancellationToken);
        return rows.ConvertAll(ToRow);
    }

    public async Task<StreamRow?> FindStreamAsync(StreamAddress stream, CancellationToken cancellationToken)
    {
        var row = await database.ReadAsync("find_stream", (context, token) => context.Streams
            .SingleOrDefaultAsync(
                there => there.Environment == stream.Environment.Value && there.Run == stream.Run.Value && there.Key == stream.Key.Value, token), cancellationToken);
        return row is null ? null : ToRow(row);
    }

    public Task MarkClosedAsync(StreamAddress stream, Outcome outcome, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return database.ChangeAsync("mark_closed", (context, token) => context.Streams
            .Where(row => row.Environment == stream.Environment.Value && row.Run == stream.Run.Value && row.Key == stream.Key.Value
                && row.Outcome == null)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.Outcome, outcome)
                .SetProperty(row => row.ClosedAt, now)
                .SetProperty(row => row.WriterUntil, (DateTimeOffset?)null), token), cancellationToken);
    }

    public Task<Repeated> RepeatAsync(RepeatCursor? after, int most, CancellationToken cancellationToken) =>
        repetition.RepeatAsync(after, most, cancellationToken);

    private static StreamRow ToRow(StoredStream row) => new(StreamKey.Parse(row.Key), row.CreatedAt, row.Outcome, row.ClosedAt);

    /// <summary>
    /// Who is told that a run has ended finds it ended here, also in the moment before the end is announced: what was remembered of the open run goes first.
    /// </summary>
    private Run? Told(EnvironmentId environment, Run? run)
    {
        if (run is { Status: not RunStatus.Open, IsSettled: false }) cache.Forget(environment, run.Id);
        return run;
    }
}
