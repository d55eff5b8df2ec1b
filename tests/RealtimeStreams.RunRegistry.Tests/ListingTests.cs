using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class ListingOnPostgresTests(PostgresDatabases databases) : ListingContract(databases);

public sealed class ListingOnSqliteTests(SqliteDatabases databases) : ListingContract(databases), IClassFixture<SqliteDatabases>;

public abstract class ListingContract(TestDatabases databases) : RegistryContract(databases)
{
    private readonly FakeTimeProvider clock = new();

    [Fact]
    public async Task Pages_hold_every_run_once_newest_first_also_while_runs_are_added()
    {
        var node = await StartNodeAsync(clock);
        List<string> registered = [];
        for (var i = 0; i < 23; i++)
        {
            // Some share a moment: then the id decides, byte by byte ("B" before "a").
            if (i % 4 == 0) clock.Advance(TimeSpan.FromMilliseconds(1));
            registered.Add($"{"aBcD"[i % 4]}{i}");
            await RegisterAsync(node, Registration(registered[^1]));
        }

        List<string> listed = [];
        for (string? cursor = null; listed.Count == 0 || cursor is not null;)
        {
            var page = await ListAsync(node, new RunQuery(null, null, null, cursor, 5));
            Assert.InRange(page.Runs.Count, 1, 5);
            listed.AddRange(page.Runs.Select(run => run.Id.Value));
            cursor = page.NextCursor;
            clock.Advance(TimeSpan.FromMilliseconds(1));
            await RegisterAsync(node, Registration($"new{listed.Count}"));
        }

        var expected = registered.Select((id, i) => (id, moment: i / 4))
            .OrderByDescending(run => run.moment).ThenByDescending(run => run.id, StringComparer.Ordinal).Select(run => run.id);
        Assert.Equal(expected, listed);
    }

    [Fact]
    public async Task A_list_holds_what_its_filters_say()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("a", "import", tags: ["x", "it's \"y\""]));
        clock.Advance(TimeSpan.FromSeconds(1));
        await RegisterAsync(node, Registration("b", "import", tags: ["x"]));
        clock.Advance(TimeSpan.FromSeconds(1));
        await RegisterAsync(node, Registration("c", "Import", tags: ["X", "xx"]));
        await node.Registry.CompleteAsync(Environment, Id("b"), Outcome.Failed, null, Cancelled);

        Assert.Equal(["c", "b", "a"], await IdsAsync(node, new RunQuery(null, null, null, null, 200)));
        Assert.Equal(["b", "a"], await IdsAsync(node, new RunQuery(null, "x", null, null, 10)));
        Assert.Equal(["a"], await IdsAsync(node, new RunQuery(null, "it's \"y\"", null, null, 10)));
        Assert.Equal(["b", "a"], await IdsAsync(node, new RunQuery(null, null, "import", null, 10)));
        Assert.Equal(["c", "a"], await IdsAsync(node, new RunQuery(RunStatus.Open, null, null, null, 10)));
        Assert.Equal(["b"], await IdsAsync(node, new RunQuery(RunStatus.Failed, "x", "import", null, 10)));
        Assert.Empty(await IdsAsync(node, new RunQuery(RunStatus.Completed, null, null, null, 10)));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ä")]
    [InlineData("MTIz")]
    [InlineData("OTAwMDAwMDAwMDAwMDAwMDAwMC9ydW4")]
    public async Task A_cursor_that_is_none_is_refused(string cursor)
    {
        var node = await StartNodeAsync(clock);

        var outcome = await node.Registry.ListAsync(Environment, new RunQuery(null, null, null, cursor, 10), Cancelled);

        Assert.Equal(ErrorCode.InvalidRequest, Assert.IsType<RunListOutcome.Refused>(outcome).Refusal.Code);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(201)]
    public async Task A_limit_out_of_range_is_refused(int limit)
    {
        var node = await StartNodeAsync(clock);

        var outcome = await node.Registry.ListAsync(Environment, new RunQuery(null, null, null, null, limit), Cancelled);

        Assert.Equal($"limit is {limit}; 1 to 200 are allowed.", Assert.IsType<RunListOutcome.Refused>(outcome).Refusal.Detail);
    }

    [Fact]
    public async Task Streams_are_listed_by_key_byte_by_byte()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        string[] keys = ["b", "B", "a", "ä", "a b", "Z"];
        foreach (var key in keys) await node.Registry.AdmitAsync(Stream("run", key), Cancelled);

        var rows = await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled);

        Assert.Equal(["B", "Z", "a", "a b", "b", "ä"], rows.Select(row => row.Key.Value));
    }

    [Fact]
    public async Task Open_streams_are_listed_page_by_page_and_none_of_a_run_that_is_being_erased()
    {
        var node = await StartNodeAsync(clock);
        foreach (var run in (string[])["run", "run0"]) await RegisterAsync(node, Registration(run));
        foreach (var key in (string[])["b", "B", "a", "ä", "a b", "Z"]) await node.Registry.AdmitAsync(Stream("run", key), Cancelled);
        await node.Registry.AdmitAsync(Stream("run0", "other"), Cancelled);
        await node.Registry.MarkClosedAsync(Stream("run", "a"), Outcome.Completed, Cancelled);

        Assert.Equal(["B", "Z"], await OpenAsync(null, 2));
        Assert.Equal(["a b", "b"], await OpenAsync("Z", 2));
        Assert.Equal(["ä"], await OpenAsync("b", 2));
        Assert.Empty(await OpenAsync("ä", 1000));
        node.Observer.Failure = new TimeoutException("The broker is gone.");
        await Assert.ThrowsAsync<TimeoutException>(() => node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        Assert.NotEmpty(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
        Assert.Empty(await OpenAsync(null, 2));

        async Task<IEnumerable<string>> OpenAsync(string? after, int most) =>
            (await node.Registry.ListOpenStreamsAsync(Environment, Id("run"), after is null ? null : StreamKey.Parse(after), most, Cancelled)).Select(row => row.Key.Value);
    }

    [Fact]
    public async Task One_stream_is_found_by_its_key()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        foreach (var key in (string[])["a", "A"]) await node.Registry.AdmitAsync(Stream("run", key), Cancelled);
        await node.Registry.MarkClosedAsync(Stream("run", "A"), Outcome.Failed, Cancelled);

        Assert.Equal((StreamKey.Parse("a"), null), await FindAsync("a"));
        Assert.Equal((StreamKey.Parse("A"), Outcome.Failed), await FindAsync("A"));
        Assert.Null(await FindAsync("b"));

        async Task<(StreamKey, Outcome?)?> FindAsync(string key) =>
            await node.Registry.FindStreamAsync(Stream("run", key), Cancelled) is { } row ? (row.Key, row.Outcome) : null;
    }

    private static async Task<RunListOutcome.Listed> ListAsync(TestNode node, RunQuery query) =>
        Assert.IsType<RunListOutcome.Listed>(await node.Registry.ListAsync(Environment, query, Cancelled));

    private static async Task<IEnumerable<string>> IdsAsync(TestNode node, RunQuery query) =>
        (await ListAsync(node, query)).Runs.Select(run => run.Id.Value);
}
