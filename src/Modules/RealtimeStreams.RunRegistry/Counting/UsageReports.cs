using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Admitting;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Counting;

/// <summary>Tells the registry how many bytes were stored of runs here, and learns what was stored elsewhere.</summary>
/// <remarks>
/// Runs that have a limit are told in every round, the others when they were not told for the cache's time: nothing depends on them until a limit is set, and of those that have ended nothing at all, so that short runs cost nothing. What waits is bounded by the
/// runs that are remembered and the bodies that are open. A change whose answer was lost may be told twice: a limit is met too early then, never too late.
/// </remarks>
internal sealed class UsageReports(RegistryDatabase database, RunLimitsRule limits, IOptions<RunRegistryOptions> options, TimeProvider clock)
{
    // In one transaction, which holds the runs' rows for some milliseconds.
    private const int PageSize = 100;

    private readonly ConcurrentQueue<RunUsage> waiting = new();

    /// <summary>What is known of a run's bytes here.</summary>
    public RunUsage Make(EnvironmentId environment, RunId run, StreamsVersion version, long bytes) =>
        new(environment, run, version, bytes, waiting.Enqueue) { ToldAt = clock.GetTimestamp() };

    /// <summary>One round.</summary>
    /// <param name="all">Whether to tell of runs without a limit too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. What was not told is told in a later round.</exception>
    public async Task TellAsync(bool all, CancellationToken cancellationToken)
    {
        var due = new List<RunUsage>();
        for (var left = waiting.Count; left > 0 && waiting.TryDequeue(out var usage); left--)
        {
            if (usage.HasEnded) continue;
            if (all || IsDue(usage)) due.Add(usage);
            else waiting.Enqueue(usage);
        }
        // In one order on all nodes, so that transactions wait for each other and never in a circle.
        due.Sort((one, other) => string.CompareOrdinal(one.Environment.Value, other.Environment.Value) is var order and not 0 ? order : string.CompareOrdinal(one.Run.Value, other.Run.Value));
        var pages = due.Chunk(PageSize).ToList();
        for (var i = 0; i < pages.Count; i++)
        {
            try
            {
                await TellAsync(pages[i], cancellationToken);
            }
            catch
            {
                foreach (var untold in pages.Skip(i + 1).SelectMany(page => page)) waiting.Enqueue(untold);
                throw;
            }
        }
    }

    private bool IsDue(RunUsage usage) =>
        limits.Of(usage.Environment, usage.Version).MaxRunBytes is not null || clock.GetElapsedTime(usage.ToldAt) >= options.Value.CacheTime;

    private async Task TellAsync(RunUsage[] page, CancellationToken cancellationToken)
    {
        var told = Array.ConvertAll(page, usage => usage.BeginTelling());
        var totals = Array.Empty<long?>();
        try
        {
            totals = await database.ChangeAsync("count_bytes", (context, token) => CountAsync(context, page, told, token), cancellationToken);
        }
        finally
        {
            for (var i = 0; i < page.Length; i++)
            {
                page[i].ToldAt = clock.GetTimestamp();
                if (totals.Length == 0) page[i].GiveUpTelling(told[i]);
                else page[i].EndTelling(told[i], totals[i]);
            }
        }
    }

    /// <returns>What each run has now; null where there is none any more.</returns>
    private static async Task<long?[]> CountAsync(RegistryContext context, RunUsage[] page, long[] told, CancellationToken cancellationToken)
    {
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        for (var i = 0; i < page.Length; i++)
        {
            var (environment, run, bytes) = (page[i].Environment.Value, page[i].Run.Value, told[i]);
            var row = context.LivingRuns.Where(there => there.Environment == environment && there.Id == run);
            await row.ExecuteUpdateAsync(set => set.SetProperty(there => there.Bytes, there => there.Bytes + bytes), cancellationToken);
        }
        var totals = new Dictionary<(string, string), long>();
        foreach (var group in page.GroupBy(usage => usage.Environment.Value, usage => usage.Run.Value))
        {
            var ids = group.ToArray();
            var rows = await context.LivingRuns
                .Where(there => there.Environment == group.Key && ids.Contains(there.Id))
                .Select(there => new { there.Id, there.Bytes })
                .ToListAsync(cancellationToken);
            foreach (var row in rows) totals[(group.Key, row.Id)] = row.Bytes;
        }
        await transaction.CommitAsync(cancellationToken);
        return Array.ConvertAll(page, usage => totals.TryGetValue((usage.Environment.Value, usage.Run.Value), out var bytes) ? bytes : default(long?));
    }
}
