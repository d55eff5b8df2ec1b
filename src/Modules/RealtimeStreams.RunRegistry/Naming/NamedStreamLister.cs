using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Naming;

/// <summary>Lists named streams and the streams of runs as one, in byte order of their names. Each has an index in that order.</summary>
internal sealed class NamedStreamLister(RegistryDatabase database)
{
    private const int MaxLimit = 1000;

    public async Task<ListedStreams> ListAsync(
        EnvironmentId environment, string prefix, string startAfter, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxLimit);
        if (StreamNames.FindRange(prefix, startAfter) is not var (from, inclusive, to)) return new ListedStreams([], HasMore: false);

        var most = limit + 1; // One more tells whether there are more.
        var (named, ofRuns) = await database.ReadAsync("list_named_streams", async (context, token) => (
            await InRange(SelectNamed(context, environment), from, inclusive, to).OrderBy(row => row.Name).Take(most).ToListAsync(token),
            await InRange(SelectOfRuns(context, environment), from, inclusive, to).OrderBy(row => row.Name).Take(most).ToListAsync(token)), cancellationToken);
        var page = named.Concat(ofRuns)
            .OrderBy(row => row.Name, Comparer<string>.Create(StreamNames.Compare))
            .Take(limit)
            .Select(row => new ListedStream(row.Name, row.CreatedAt, row.EndedAt))
            .ToList();
        return new ListedStreams(page, named.Count + ofRuns.Count > limit);
    }

    private static IQueryable<Row> SelectNamed(RegistryContext context, EnvironmentId environment) =>
        from stream in context.NamedStreams
        where stream.Environment == environment.Value
        select new Row
        {
            Name = stream.Name,
            CreatedAt = stream.CreatedAt,
            EndedAt = context.Streams
                .Where(row => row.Environment == stream.Environment && row.Run == stream.Run)
                .Select(row => row.ClosedAt)
                .FirstOrDefault(),
        };

    private static IQueryable<Row> SelectOfRuns(RegistryContext context, EnvironmentId environment) =>
        from stream in context.Streams
        join run in context.LivingRuns on new { stream.Environment, Id = stream.Run } equals new { run.Environment, run.Id }
        where stream.Environment == environment.Value && stream.Name != null
        select new Row { Name = stream.Name!, CreatedAt = stream.CreatedAt, EndedAt = stream.ClosedAt };

    private static IQueryable<Row> InRange(IQueryable<Row> rows, string from, bool inclusive, string? to)
    {
        rows = inclusive ? rows.Where(row => string.Compare(row.Name, from) >= 0) : rows.Where(row => string.Compare(row.Name, from) > 0);
        return to is null ? rows : rows.Where(row => string.Compare(row.Name, to) < 0);
    }

    private sealed class Row
    {
        public required string Name { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset? EndedAt { get; init; }
    }
}
