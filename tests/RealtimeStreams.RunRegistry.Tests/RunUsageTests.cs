using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class RunUsageOnPostgresTests(PostgresDatabases databases) : RunUsageContract(databases);

public sealed class RunUsageOnSqliteTests(SqliteDatabases databases) : RunUsageContract(databases), IClassFixture<SqliteDatabases>;

public abstract class RunUsageContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task Servers_learn_of_each_others_bytes_within_a_second_where_a_limit_is_in_force()
    {
        Settings["RealtimeStreams:V2:MaxRunBytes"] = "1000";
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var other = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var here = await UsageAsync(node, "a");
        var there = await UsageAsync(other, "b");

        Store(here, 300);
        Store(there, 50);
        Assert.Equal((300, 50), (here.Bytes, there.Bytes));
        clock.Advance(TimeSpan.FromSeconds(1));
        await UntilToldAsync(node, 350);

        Store(here, 1); // Whoever stores something learns within a second what the others did.
        Store(there, 1);
        clock.Advance(TimeSpan.FromSeconds(1));
        await UntilToldAsync(node, 352);
        await Until.TrueAsync(() => $"Known are {here.Bytes} and {there.Bytes}.", () => here.Bytes >= 351 && there.Bytes >= 351, TimeSpan.FromSeconds(30));

        Assert.Equal(352, (await UsageAsync(await StartNodeAsync(clock), "a")).Bytes); // One that was started later.
    }

    [Fact]
    public async Task Without_a_limit_the_registry_is_told_every_30_seconds_and_within_one_once_a_limit_is_set()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var usage = await UsageAsync(node, "a");
        Store(usage, 7);

        clock.Advance(TimeSpan.FromSeconds(29));
        await node.Services.GetRequiredService<UsageReports>().TellAsync(all: false, Cancelled);
        Assert.Equal(0, await StoredAsync(node));
        Store(usage, 1);
        clock.Advance(TimeSpan.FromSeconds(1));
        await UntilToldAsync(node, 8);

        Store(usage, 2);
        Assert.IsType<EnvironmentSettingsOutcome.Changed>(await node.Services.GetRequiredService<IEnvironmentSettings>().ChangeAsync(
            Environment, new Dictionary<string, long?> { ["maxRunBytes"] = 100 }, "a test", Cancelled));
        clock.Advance(TimeSpan.FromSeconds(1));
        await UntilToldAsync(node, 10);
    }

    [Fact]
    public async Task Of_a_run_that_has_ended_nothing_is_told_any_more()
    {
        var node = await StartNodeAsync(new FakeTimeProvider());
        foreach (var run in (string[])["run", "other"])
        {
            await RegisterAsync(node, Registration(run));
            Store(await UsageAsync(node, "a", run), 7);
        }
        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);

        await node.Services.GetRequiredService<UsageReports>().TellAsync(all: true, Cancelled);

        Assert.Equal((0, 7), (await StoredAsync(node), await StoredAsync(node, "other")));
    }

    [Fact]
    public async Task A_server_that_stops_tells_all_and_whatever_many_store_at_once_through_several_servers_is_counted_once()
    {
        Settings["RealtimeStreams:V2:MaxRunBytes"] = "1000000000";
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];
        await RegisterAsync(nodes[0], Registration("run"));
        await RegisterAsync(nodes[0], Registration("other"));

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(
            async () =>
            {
                var (run, other) = (await UsageAsync(nodes[i % 2], $"key{i}"), await UsageAsync(nodes[i % 2], "a", "other"));
                for (var n = 0; n < 2000; n++)
                {
                    Store(run, 3);
                    Store(other, 1);
                    if (n % 100 == 0) await Task.Yield();
                }
            },
            Cancelled)));
        foreach (var node in nodes) await node.DisposeAsync();

        var later = await StartNodeAsync();
        Assert.Equal((96_000, 32_000), ((await UsageAsync(later, "key1")).Bytes, (await UsageAsync(later, "a", "other")).Bytes));
    }

    [Fact]
    public async Task Many_runs_of_several_environments_are_told_in_one_round()
    {
        Settings["RealtimeStreams:V2:MaxRunBytes"] = "1000";
        var node = await StartNodeAsync(new FakeTimeProvider());
        var other = EnvironmentId.Parse("other");
        await node.Services.GetRequiredService<IEnvironments>().CreateAsync(other, "a test", Cancelled);
        var usages = new List<RunUsage>();
        for (var i = 0; i < 250; i++)
        {
            var stream = new StreamAddress(i % 2 == 0 ? Environment : other, Id($"run{i / 2}"), StreamKey.Default);
            await node.Registry.RegisterAsync(stream.Environment, Registration(stream.Run.Value), Cancelled);
            usages.Add(Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(stream, Cancelled)).Usage!);
            Store(usages[i], i + 1);
        }

        var since = TimeProvider.System.GetTimestamp();
        await node.Services.GetRequiredService<UsageReports>().TellAsync(all: false, Cancelled);
        TestContext.Current.TestOutputHelper?.WriteLine($"250 runs in {TimeProvider.System.GetElapsedTime(since).TotalMilliseconds:0} ms");

        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        var told = await context.LivingRuns.OrderBy(row => row.Bytes).Select(row => new { row.Environment, row.Id, row.Bytes }).ToListAsync(Cancelled);
        Assert.Equal(usages.Select(usage => (usage.Environment.Value, usage.Run.Value, usage.Bytes)), told.Select(row => (row.Environment, row.Id, row.Bytes)));
    }

    [Fact]
    public async Task All_streams_of_a_run_share_one_count_also_when_they_are_admitted_again_and_streams_outside_of_runs_have_none()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var usage = await UsageAsync(node, "a");
        Store(usage, 5);

        clock.Advance(TimeSpan.FromSeconds(31));

        Assert.Same(usage, await UsageAsync(node, "a"));
        Assert.Same(usage, await UsageAsync(node, "b"));
        var named = Assert.IsType<NamedStreamOutcome.Made>(await node.Services.GetRequiredService<INamedStreams>().EnsureAsync(Environment, "a name", "{}", null, Cancelled));
        Assert.Null(Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(named.Stream.Address, Cancelled)).Usage);
    }

    private static void Store(RunUsage usage, int bytes)
    {
        usage.Take(bytes);
        usage.Settle(bytes, bytes);
    }

    private static Task UntilToldAsync(TestNode node, long bytes) =>
        Until.TrueAsync(() => $"The registry has not been told of {bytes} bytes.", async () => await StoredAsync(node) == bytes, TimeSpan.FromSeconds(30));

    private static async Task<RunUsage> UsageAsync(TestNode node, string key, string run = "run") =>
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(Stream(run, key), Cancelled)).Usage!;

    private static async Task<long> StoredAsync(TestNode node, string run = "run")
    {
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        return await context.LivingRuns.Where(row => row.Id == run).Select(row => row.Bytes).SingleAsync(Cancelled);
    }
}

/// <summary>The count of one server, between two looks at the registry.</summary>
public sealed class RunUsageTests
{
    private readonly List<RunUsage> noted = [];

    [Fact]
    public void What_others_told_is_added_once_whichever_way_it_is_learnt()
    {
        var usage = Make(100);
        Store(usage, 10);

        var told = usage.BeginTelling();
        usage.Learn(130); // May have the 10 or not: says nothing now.
        Assert.Equal((10, 110), (told, usage.Bytes));
        Store(usage, 1);
        usage.EndTelling(told, 135); // 25 are others'.
        Assert.Equal(136, usage.Bytes);
        usage.Learn(130); // Old.
        usage.Learn(140);
        Assert.Equal(141, usage.Bytes);
        usage.EndTelling(usage.BeginTelling(), 141);
        Assert.Equal(141, usage.Bytes);
    }

    [Fact]
    public void What_could_not_be_told_is_noted_again_and_one_note_waits_at_a_time()
    {
        var usage = Make(0);
        Store(usage, 10);
        Store(usage, 10);
        Assert.Single(noted);

        var told = usage.BeginTelling();
        usage.GiveUpTelling(told);

        Assert.Equal((20, 2), (usage.Bytes, noted.Count));
        Assert.Equal(20, usage.BeginTelling());
        usage.EndTelling(20, null); // The run was erased.
        Assert.Equal(20, usage.Bytes);
    }

    [Fact]
    public void Taking_room_is_seen_by_others_until_it_is_settled_and_allocates_nothing()
    {
        var usage = new RunUsage(EnvironmentId.Parse("default"), RunId.Parse("run"), StreamsVersion.V2, 7, null);
        Assert.Equal(7, usage.Take(5));
        Assert.Equal((7, 12), (usage.Bytes, usage.Take(3)));
        usage.Settle(5, 5);
        usage.Settle(3, 0);
        Assert.Equal((12, 12), (usage.Bytes, usage.Take(0)));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            usage.Take(3);
            usage.Settle(3, 3);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private RunUsage Make(long bytes) => new(EnvironmentId.Parse("default"), RunId.Parse("run"), StreamsVersion.V2, bytes, noted.Add);

    private static void Store(RunUsage usage, int bytes)
    {
        usage.Take(bytes);
        usage.Settle(bytes, bytes);
    }
}
