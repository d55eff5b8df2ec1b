using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Listing;

/// <summary>Lists runs, newest first. A page begins behind the last run of the one before, so that new runs shift nothing.</summary>
internal sealed class RunLister(RegistryDatabase database)
{
    private const int MaxLimit = 200;

    public async Task<RunListOutcome> ListAsync(EnvironmentId environment, RunQuery query, CancellationToken cancellationToken)
    {
        if (query.Limit is < 1 or > MaxLimit) return Refuse($"limit is {query.Limit}; 1 to {MaxLimit} are allowed.");
        RunCursor? after = null;
        if (query.Cursor is { } text)
        {
            if (!RunCursor.TryParse(text, out var cursor)) return Refuse("cursor is none that this server gave.");
            after = cursor;
        }

        // No run has what no run can be given; PostgreSQL would not take U+0000 either.
        if (query.TaskId is { } task && TextRule.FindFault(task, TextRule.MaxTaskIdBytes) is not null) return new RunListOutcome.Listed([], null);
        if (query.Tag is { } tag && TextRule.FindFault(tag, TextRule.MaxTagBytes) is not null) return new RunListOutcome.Listed([], null);

        var rows = await database.ReadAsync("list", (context, token) => Select(context, environment, query, after)
            .OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id)
            .Take(query.Limit + 1) // One more tells whether there is a next page.
            .ToListAsync(token), cancellationToken);
        var runs = rows.Take(query.Limit).Select(row => row.ToRun()).ToList();
        return new RunListOutcome.Listed(runs, rows.Count > query.Limit ? new RunCursor(runs[^1].CreatedAt, runs[^1].Id).ToString() : null);
    }

    private static IQueryable<StoredRun> Select(RegistryContext context, EnvironmentId environment, RunQuery query, RunCursor? after)
    {
        var runs = context.LivingRuns.Where(row => row.Environment == environment.Value && row.Kind == RunKind.Ordinary);
        if (query.Status is { } status) runs = runs.Where(row => row.Status == status);
        if (query.TaskId is { } taskId) runs = runs.Where(row => row.TaskId == taskId);
        if (query.Tag is { } tag) runs = runs.Where(row => row.Tags.Contains(tag));
        if (after is not var (time, last)) return runs;

        // The first condition is implied by the second, and is the one that an index understands.
        return runs.Where(row => row.CreatedAt <= time)
            .Where(row => row.CreatedAt < time || string.Compare(row.Id, last.Value) < 0);
    }

    private static RunListOutcome.Refused Refuse(string detail) => new(new Refusal(ErrorCode.InvalidRequest, detail));
}
