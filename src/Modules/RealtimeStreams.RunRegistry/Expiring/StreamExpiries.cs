using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Expiring;

internal sealed class StreamExpiries(RegistryDatabase database, RetentionRule rule) : IStreamExpiries
{
    private const int MaxFound = 1000;

    public async Task<IReadOnlyList<DueStream>> FindDueAsync(int most, CancellationToken cancellationToken)
    {
        Check(most);
        var now = database.Now();
        var rows = await database.ReadAsync("find_due", (context, token) => context.Streams
            .Where(row => row.ExpiresAt <= now)
            .Join(
                context.LivingRuns,
                row => new { row.Environment, Id = row.Run },
                run => new { run.Environment, run.Id },
                (row, run) => new { Row = row, run.Version, run.Retention })
            .OrderBy(found => found.Row.ExpiresAt)
            .Take(most)
            .ToListAsync(token), cancellationToken);
        return rows.ConvertAll(found =>
        {
            var stream = new StreamAddress(EnvironmentId.Parse(found.Row.Environment), RunId.Parse(found.Row.Run), StreamKey.Parse(found.Row.Key));
            return new DueStream(stream, rule.Of(stream.Environment, found.Version, found.Retention), found.Row.ExpiresAt!.Value, found.Row.Outcome is not null);
        });
    }

    public async Task<DueStream?> ClaimAsync(DueStream due, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var claimed = Storable(until);
        return await ChangeAsync("claim_due", due, claimed, cancellationToken) ? due with { NotedAt = claimed } : null;
    }

    public Task<bool> PutOffAsync(DueStream claimed, DateTimeOffset? next, CancellationToken cancellationToken) =>
        ChangeAsync("put_off", claimed, next is { } time ? Storable(time) : null, cancellationToken);

    public async Task<int> PullInAsync(int most, CancellationToken cancellationToken)
    {
        Check(most);
        var environments = await database.ReadAsync(
            "find_environments", (context, token) => context.Environments.Select(row => row.Id).ToListAsync(token), cancellationToken);
        var pulled = 0;
        foreach (var environment in environments)
        {
            if (pulled >= most) break;
            pulled += await PullInAsync(environment, most - pulled, cancellationToken);
        }
        return pulled;
    }

    private async Task<int> PullInAsync(string environment, int most, CancellationToken cancellationToken)
    {
        var (now, retention) = (database.Now(), rule.Of(EnvironmentId.Parse(environment)));
        var latest = now + retention + ExpirySteps.Of(retention); // The nodes' clocks may differ a little.
        var times = await database.ReadAsync("find_put_off", (context, token) => context.Streams
            .Where(row => row.Environment == environment && row.ExpiresAt > latest)
            .OrderByDescending(row => row.ExpiresAt)
            .Take(most)
            .Select(row => row.ExpiresAt)
            .ToListAsync(token), cancellationToken);
        if (times.Count == 0) return 0;
        var least = times[^1];
        return await database.ChangeAsync("pull_in", (context, token) => context.Streams
            .Where(row => row.Environment == environment && row.ExpiresAt >= least)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ExpiresAt, now), token), cancellationToken);
    }

    private async Task<bool> ChangeAsync(string operation, DueStream found, DateTimeOffset? time, CancellationToken cancellationToken)
    {
        var (stream, noted) = (found.Stream, found.NotedAt);
        return await database.ChangeAsync(operation, (context, token) => context.Streams
            .Where(row => row.Environment == stream.Environment.Value && row.Run == stream.Run.Value && row.Key == stream.Key.Value && row.ExpiresAt == noted)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ExpiresAt, time), token), cancellationToken) > 0;
    }

    private static DateTimeOffset Storable(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));

    private static void Check(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MaxFound);
    }
}
