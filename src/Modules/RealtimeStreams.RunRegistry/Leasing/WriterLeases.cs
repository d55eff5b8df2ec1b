using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Naming;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Leasing;

internal sealed class WriterLeases(RegistryDatabase database, IOptions<RunRegistryOptions> options) : IWriterLeases
{
    // As many names a query, so that it stays small and the writer's turn short.
    private const int PageSize = 200;

    private const int MaxFound = 1000;

    public async Task<IReadOnlyDictionary<StreamAddress, TimeSpan>> RenewAsync(
        IReadOnlyCollection<StreamAddress> streams, CancellationToken cancellationToken)
    {
        var renewed = new Dictionary<StreamAddress, TimeSpan>();
        foreach (var ofEnvironment in streams.Where(LeaseRule.HasLease).GroupBy(stream => stream.Environment))
        {
            foreach (var page in ofEnvironment.Chunk(PageSize))
            {
                // Streams that have a lease have a name, which is unique within the environment.
                var byName = page.ToDictionary(stream => StreamNames.Of(stream.Run, stream.Key));
                foreach (var (name, lease) in await RenewAsync(ofEnvironment.Key.Value, [.. byName.Keys], cancellationToken))
                    renewed[byName[name]] = LeaseRule.LengthOf(lease, options.Value);
            }
        }
        return renewed;
    }

    public async Task<IReadOnlyList<ExpiredLease>> FindExpiredAsync(int most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MaxFound);
        var now = database.Now();
        var rows = await database.ReadAsync("find_expired", (context, token) => context.Streams
            .Where(row => row.WriterUntil <= now && row.Outcome == null
                && context.LivingRuns.Any(run => run.Environment == row.Environment && run.Id == row.Run && run.Status == RunStatus.Open))
            .OrderBy(row => row.WriterUntil)
            .Take(most)
            .ToListAsync(token), cancellationToken);
        return rows.ConvertAll(row => new ExpiredLease(
            new StreamAddress(EnvironmentId.Parse(row.Environment), RunId.Parse(row.Run), StreamKey.Parse(row.Key)),
            LeaseRule.LengthOf(row.WriterLease, options.Value),
            row.WriterUntil!.Value,
            row.WriterDoubted));
    }

    public Task<bool> ProlongAsync(ExpiredLease lease, DateTimeOffset until, CancellationToken cancellationToken) =>
        ChangeAsync(lease, until, doubted: false, cancellationToken);

    public Task<bool> DoubtAsync(ExpiredLease lease, DateTimeOffset until, CancellationToken cancellationToken) =>
        ChangeAsync(lease, until, doubted: true, cancellationToken);

    private Task<List<Renewed>> RenewAsync(string environment, string[] names, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return database.ChangeAsync("renew_leases", async (context, token) =>
        {
            var rows = context.Streams.Where(row => row.Environment == environment && row.Name != null && names.Contains(row.Name)
                && row.Outcome == null && row.WriterUntil != null);
            var found = await rows.Select(row => new Renewed(row.Name!, row.WriterLease)).ToListAsync(token);
            foreach (var lease in found.Select(row => row.Lease).Distinct())
            {
                // Never back, so that who learnt of another length holds what he renewed before. As long as it was read: another length waits for the next time.
                var until = now + LeaseRule.LengthOf(lease, options.Value) * 4 / 3;
                await rows
                    .Where(row => row.WriterLease == lease && (row.WriterUntil < until || row.WriterDoubted))
                    .ExecuteUpdateAsync(set => set
                        .SetProperty(row => row.WriterUntil, until)
                        .SetProperty(row => row.WriterDoubted, false), token);
            }
            return found;
        }, cancellationToken);
    }

    private async Task<bool> ChangeAsync(ExpiredLease lease, DateTimeOffset until, bool doubted, CancellationToken cancellationToken)
    {
        var stream = lease.Stream;
        var storable = until.AddTicks(-(until.Ticks % TimeSpan.TicksPerMicrosecond));
        return await database.ChangeAsync("change_expired", (context, token) => context.Streams
            .Where(row => row.Environment == stream.Environment.Value && row.Run == stream.Run.Value && row.Key == stream.Key.Value
                && row.Outcome == null && row.WriterUntil == lease.Until)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.WriterUntil, storable)
                .SetProperty(row => row.WriterDoubted, doubted), token), cancellationToken) > 0;
    }

    private sealed record Renewed(string Name, int? Lease);
}
