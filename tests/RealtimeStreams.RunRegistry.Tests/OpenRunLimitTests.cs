using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Storing;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class OpenRunLimitOnPostgresTests(PostgresDatabases databases) : OpenRunLimitContract(databases);

public sealed class OpenRunLimitOnSqliteTests(SqliteDatabases databases) : OpenRunLimitContract(databases), IClassFixture<SqliteDatabases>;

public abstract class OpenRunLimitContract(TestDatabases databases) : RegistryContract(databases)
{
    private static readonly EnvironmentId Other = EnvironmentId.Parse("other");

    [Fact]
    public async Task Registered_triggered_and_named_count_together_and_what_goes_beyond_is_refused_with_limit_value_and_environment_and_not_stored()
    {
        var node = await StartNodeAsync(new FakeTimeProvider());
        await SetAsync(node, 3);
        using var refused = new MetricCollector<long>(
            node.Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.RunRegistry", "realtimestreams.runregistry.limits.refused");
        await RegisterAsync(node, Registration("run"));
        await RegisterAsync(node, Registration(taskId: "task") with { Triggered = true });
        await MakeAsync(node, "name");

        foreach (var registration in (RunRegistration[])[Registration("more"), Registration(), Registration(taskId: "task") with { Triggered = true, IdempotencyKey = "key" }])
            AssertReached(await RefusedAsync(node, registration), 3);
        AssertReached(Assert.IsType<NamedStreamOutcome.Refused>(await Names(node).EnsureAsync(Environment, "another", "{}", null, Cancelled)).Refusal, 3);
        AssertReached(Assert.IsType<NamedStreamOutcome.Refused>(await Names(node).CreateAsync(Environment, "another", "{}", null, "token", Cancelled)).Refusal, 3);

        Assert.Equal(3, await CountAsync(node));
        Assert.Null(await Names(node).FindAsync(Environment, "another", Cancelled));
        Assert.Equal(5, refused.GetMeasurementSnapshot().Count(one => Equals(one.Tags["limit"], "maxOpenRuns")));
    }

    [Fact]
    public async Task Whoever_asks_again_for_what_is_there_is_answered_as_before()
    {
        var node = await StartNodeAsync(new FakeTimeProvider());
        await SetAsync(node, 3);
        var triggered = Registration(taskId: "task") with { Triggered = true, IdempotencyKey = "key" };
        await RegisterAsync(node, Registration("run"));
        var first = await RegisterAsync(node, triggered);
        var named = Assert.IsType<NamedStreamOutcome.Made>(await Names(node).CreateAsync(Environment, "name", "{}", null, "token", Cancelled));
        AssertReached(await RefusedAsync(node, Registration("more")), 3);

        Assert.False(Assert.IsType<RegisterOutcome.Registered>(await node.Registry.RegisterAsync(Environment, Registration("run"), Cancelled)).New);
        Assert.Equal(first.Id, (await RegisterAsync(node, triggered)).Id);
        Assert.Equal(ErrorCode.RunConflict, (await RefusedAsync(node, Registration("run", tags: ["other"]))).Code);
        Assert.Equal(named.Stream, Assert.IsType<NamedStreamOutcome.Made>(await Names(node).CreateAsync(Environment, "name", "{}", null, "token", Cancelled)).Stream);
        Assert.IsType<NamedStreamOutcome.Taken>(await Names(node).CreateAsync(Environment, "name", "{}", null, "another", Cancelled));
        Assert.False(Assert.IsType<NamedStreamOutcome.Made>(await Names(node).EnsureAsync(Environment, "name", "{}", null, Cancelled)).New);
        Assert.Equal(3, await CountAsync(node));
    }

    [Fact]
    public async Task A_run_that_is_completed_erased_or_stopped_and_a_named_stream_that_is_deleted_make_room_at_once()
    {
        var node = await StartNodeAsync(new FakeTimeProvider());
        await SetAsync(node, 2);
        await RegisterAsync(node, Registration("run0"));
        await RegisterAsync(node, Registration("stays"));
        AssertReached(await RefusedAsync(node, Registration("run1")), 2);

        await node.Registry.CompleteAsync(Environment, Id("run0"), Outcome.Completed, null, Cancelled);
        Pass(node);
        await RegisterAsync(node, Registration("run1"));
        AssertReached(await RefusedAsync(node, Registration("run2")), 2);

        await node.Registry.EraseAsync(Environment, Id("run1"), Cancelled);
        Pass(node);
        await MakeAsync(node, "name");
        AssertReached(await RefusedAsync(node, Registration("run2")), 2);

        await Names(node).DeleteAsync(Environment, "name", "a test", Cancelled);
        Pass(node);
        var waiting = await RegisterAsync(node, Registration("run2", taskId: "task") with { Triggered = true });
        AssertReached(await RefusedAsync(node, Registration("run3")), 2);

        await node.Services.GetRequiredService<IRunStops>().RequestAsync(Environment, waiting.Id, null, null, "a test", Cancelled); // Nobody has begun it.
        Pass(node);
        await RegisterAsync(node, Registration("run3"));
        AssertReached(await RefusedAsync(node, Registration("run4")), 2);
        Assert.Equal(2, await CountAsync(node));
    }

    [Fact]
    public async Task Another_environment_is_not_touched_and_the_servers_own_limit_holds_where_none_is_set()
    {
        Settings["RealtimeStreams:MaxOpenRuns"] = "2";
        var node = await StartNodeAsync(new FakeTimeProvider());
        await node.Services.GetRequiredService<IEnvironments>().CreateAsync(Other, "a test", Cancelled);
        await SetAsync(node, 1);
        await RegisterAsync(node, Registration("run"));
        AssertReached(await RefusedAsync(node, Registration("more")), 1);

        for (var i = 0; i < 2; i++) Assert.IsType<RegisterOutcome.Registered>(await node.Registry.RegisterAsync(Other, Registration($"run{i}"), Cancelled));
        var beyond = Assert.IsType<RegisterOutcome.Refused>(await node.Registry.RegisterAsync(Other, Registration("more"), Cancelled)).Refusal;
        Assert.Contains("maxOpenRuns of the environment other is 2", beyond.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_that_is_lowered_takes_nothing_away_and_one_that_is_raised_counts_what_there_is()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        for (var i = 0; i < 6; i++) await RegisterAsync(node, Registration($"run{i}"));
        await SetAsync(node, 2);
        clock.Advance(TimeSpan.FromSeconds(1));
        AssertReached(await RefusedAsync(node, Registration("more")), 2);
        Assert.Equal(6, await CountAsync(node));

        await SetAsync(node, 7); // What was counted stopped at 2.
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await RegisterAsync(node, Registration("more"));

        AssertReached(await RefusedAsync(node, Registration("yet more")), 7);
    }

    [Fact]
    public async Task However_many_register_at_once_on_one_server_none_goes_beyond()
    {
        var node = await StartNodeAsync();
        await SetAsync(node, 25);
        await RegisterAsync(node, Registration("first"));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(
            async () => i % 4 == 0
                ? await Names(node).EnsureAsync(Environment, $"name{i}", "{}", null, Cancelled) is NamedStreamOutcome.Made
                : await node.Registry.RegisterAsync(Environment, Registration($"run{i}"), Cancelled) is RegisterOutcome.Registered { New: true },
            Cancelled)));

        Assert.Equal(24, outcomes.Count(made => made));
        Assert.Equal(25, await CountAsync(node));
    }

    [Fact]
    public async Task Runs_that_come_and_go_while_it_is_counted_never_go_beyond_and_in_the_end_there_is_room_for_all_that_are_gone()
    {
        var node = await StartNodeAsync();
        await SetAsync(node, 5);
        var open = 0;
        var made = 0;

        await Task.WhenAll(Enumerable.Range(0, 10).Select(worker => Task.Run(
            async () =>
            {
                for (var i = 0; i < 20; i++)
                {
                    if (await node.Registry.RegisterAsync(Environment, Registration($"run{worker}-{i}"), Cancelled) is not RegisterOutcome.Registered) continue;
                    Interlocked.Increment(ref made);
                    Assert.InRange(Interlocked.Increment(ref open), 1, 5); // Counted after it was made, and taken off before it is completed.
                    Interlocked.Decrement(ref open);
                    await node.Registry.CompleteAsync(Environment, Id($"run{worker}-{i}"), Outcome.Completed, null, Cancelled);
                }
            },
            Cancelled)));

        TestContext.Current.TestOutputHelper?.WriteLine($"{made} of 200 were made.");
        Assert.InRange(made, 5, 200);
        await Until.TrueAsync(
            () => "There is no room for five, and none is open.",
            async () => await node.Registry.RegisterAsync(Environment, Registration($"later{Guid.NewGuid():N}"), Cancelled) is RegisterOutcome.Refused,
            TimeSpan.FromSeconds(30));
        Assert.Equal(5, await CountAsync(node));
    }

    [Fact]
    public async Task Two_servers_exceed_it_by_what_the_other_adds_within_a_second_and_not_after()
    {
        Settings["RealtimeStreams:MaxOpenRuns"] = "10";
        var clock = new FakeTimeProvider();
        TestNode[] nodes = [await StartNodeAsync(clock), await StartNodeAsync(clock)];
        await RegisterAsync(nodes[0], Registration("first"));
        await RegisterAsync(nodes[1], Registration("second")); // Has seen both.
        for (var i = 0; i < 9; i++) await RegisterAsync(nodes[0], Registration($"here{i}")); // Has seen its own.
        for (var i = 0; i < 8; i++) await RegisterAsync(nodes[1], Registration($"there{i}"));
        Assert.Equal(19, await CountAsync(nodes[0])); // Each has ten that it knows of; nine more than the limit.
        foreach (var node in nodes) AssertReached(await RefusedAsync(node, Registration("beyond")), 10);

        clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var node in nodes) AssertReached(await RefusedAsync(node, Registration("beyond")), 10);
        for (var i = 0; i < 9; i++) await nodes[0].Registry.CompleteAsync(Environment, Id($"here{i}"), Outcome.Completed, null, Cancelled);
        clock.Advance(TimeSpan.FromSeconds(1));
        foreach (var node in nodes) AssertReached(await RefusedAsync(node, Registration("beyond")), 10); // Ten are left.

        await nodes[0].Registry.CompleteAsync(Environment, Id("first"), Outcome.Completed, null, Cancelled);
        clock.Advance(TimeSpan.FromSeconds(1));
        await RegisterAsync(nodes[1], Registration("beyond")); // It was not told, and has looked.
        AssertReached(await RefusedAsync(nodes[1], Registration("far beyond")), 10);
    }

    [Fact]
    public async Task A_server_that_has_room_follows_what_others_add_before_the_room_is_gone()
    {
        Settings["RealtimeStreams:MaxOpenRuns"] = "20";
        var clock = new FakeTimeProvider();
        TestNode[] nodes = [await StartNodeAsync(clock), await StartNodeAsync(clock)];
        await RegisterAsync(nodes[0], Registration("first"));
        for (var i = 0; i < 18; i++) await RegisterAsync(nodes[1], Registration($"there{i}"));

        clock.Advance(TimeSpan.FromSeconds(1));
        await RegisterAsync(nodes[0], Registration("second"));

        AssertReached(await RefusedAsync(nodes[0], Registration("third")), 20);
    }

    [Fact]
    public async Task It_is_counted_by_an_index_of_its_own_that_lists_do_not_use()
    {
        var node = await StartNodeAsync();
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();

        var counting = await ExplainAsync(context, OpenRunLimit.Open(context, Environment).Take(7).Select(row => 1).ToQueryString());
        var listing = await ExplainAsync(context, context.LivingRuns
            .Where(row => row.Environment == Environment.Value && row.Kind == RunKind.Ordinary && row.Status == RunStatus.Open)
            .OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id)
            .Take(7).ToQueryString());

        Assert.Contains("runs_open", counting, StringComparison.Ordinal);
        Assert.Contains("runs_newest", listing, StringComparison.Ordinal);
        Assert.DoesNotContain("runs_open", listing, StringComparison.Ordinal);
        if (context.Database.ProviderName!.Contains("Npgsql", StringComparison.Ordinal)) Assert.Contains("Index Only Scan using runs_open", counting, StringComparison.Ordinal);
    }

    private static async Task<string> ExplainAsync(RegistryContext context, string query)
    {
        var isPostgres = context.Database.ProviderName!.Contains("Npgsql", StringComparison.Ordinal);
        foreach (var name in (string[])["@environment_Value", "@Value", "@Environment_Value"]) query = query.Replace(name, "'default'", StringComparison.Ordinal);
        query = string.Join('\n', query.Split('\n').Where(line => !line.StartsWith('-') && !line.StartsWith('.'))).Replace("@p", "7", StringComparison.Ordinal);
        var connection = context.Database.GetDbConnection();
        await connection.OpenAsync(Cancelled);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Of this test's own queries.
        command.CommandText = isPostgres ? $"SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN {query}" : $"EXPLAIN QUERY PLAN {query}";
#pragma warning restore CA2100
        var plan = new StringBuilder();
        await using (var reader = await command.ExecuteReaderAsync(Cancelled))
            while (await reader.ReadAsync(Cancelled)) plan.AppendLine(reader.GetValue(reader.FieldCount - 1).ToString());
        await connection.CloseAsync();
        return plan.ToString();
    }

    /// <summary>As long as it is not counted again after so few runs.</summary>
    private static void Pass(TestNode node) => ((FakeTimeProvider)node.Services.GetRequiredService<TimeProvider>()).Advance(TimeSpan.FromMilliseconds(1));

    private static void AssertReached(Refusal refusal, int limit) => Assert.Equal(
        (ErrorCode.LimitReached, $"The limit maxOpenRuns of the environment default is {limit}, and it is reached: so many of its runs, and of its streams outside of runs, are open. Complete or erase some first."),
        (refusal.Code, refusal.Detail));

    private static INamedStreams Names(TestNode node) => node.Services.GetRequiredService<INamedStreams>();

    private static async Task MakeAsync(TestNode node, string name) =>
        Assert.True(Assert.IsType<NamedStreamOutcome.Made>(await Names(node).EnsureAsync(Environment, name, "{}", null, Cancelled)).New);

    private static async Task SetAsync(TestNode node, long limit) => Assert.IsType<EnvironmentSettingsOutcome.Changed>(
        await node.Services.GetRequiredService<IEnvironmentSettings>().ChangeAsync(
            Environment, new Dictionary<string, long?> { ["maxOpenRuns"] = limit }, "a test", Cancelled));

    private static async Task<int> CountAsync(TestNode node)
    {
        await using var context = node.Services.GetRequiredService<RegistryProvider>().CreateContext();
        return await context.LivingRuns.CountAsync(row => row.Environment == Environment.Value && row.Status == RunStatus.Open, Cancelled);
    }
}

/// <summary>The count of one environment on one server, between two looks at the database.</summary>
public sealed class OpenRunCountTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly OpenRunCount count;

    public OpenRunCountTests() => count = new OpenRunCount(clock);

    [Fact]
    public void A_run_that_is_being_added_while_it_is_counted_counts_until_the_next_count_and_what_was_not_added_does_not()
    {
        Look(0, 10);
        Take(3, 10);
        for (var i = 0; i < 2; i++) count.Settle(isAdded: true);

        count.Begin(); // Sees two, and of the third nobody knows.
        count.Settle(isAdded: true);
        Take(1, 10);
        count.End(3, 10);
        Take(5, 10); // 3 were seen, one was added meanwhile, one is being added.
        Assert.False(count.TryTake(10));

        count.Settle(isAdded: false);
        Assert.True(count.TryTake(10));
        for (var i = 0; i < 6; i++) count.Settle(isAdded: true);
        Look(9, 10);
        Assert.True(count.TryTake(10));
        Assert.False(count.TryTake(10));
    }

    [Fact]
    public async Task Where_runs_that_were_being_added_decide_it_is_counted_again_once_they_are_there()
    {
        Look(0, 10);
        Take(4, 10);
        Assert.True(count.WhenSettledAsync(10).IsCompleted); // There is room.
        Look(3, 10); // Three of the four, or other three.
        Take(3, 10);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(count.TryTake(10));
        Assert.True(count.IsDue(10));

        var settled = count.WhenSettledAsync(10);
        for (var i = 0; i < 6; i++) count.Settle(isAdded: true);
        Assert.False(settled.IsCompleted);
        count.Settle(isAdded: true);
        await settled.WaitAsync(TestContext.Current.CancellationToken);
        Look(7, 10);
        Take(3, 10);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(count.IsDue(10)); // It is certain.
        Assert.False(count.TryTake(10));
    }

    [Theory]
    [InlineData(1_000_000, 0, 10)]
    [InlineData(10_000_000, 0, 30)] // At the latest.
    [InlineData(1_000_000, 800_000, 4)] // 5 µs for each that was counted.
    [InlineData(1_000_000, 500_000, 5)]
    [InlineData(1_000_000, 50_000, 9.5)]
    [InlineData(20, 1, 1)]
    public void Where_there_is_room_it_is_counted_before_others_can_fill_it_and_never_more_than_a_few_percent_of_the_time(long most, long open, double seconds)
    {
        Assert.True(count.IsDue(most));
        Look(open, most);

        clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.False(count.IsDue(most));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(count.IsDue(most));
    }

    [Fact]
    public void Where_there_is_none_it_is_counted_once_a_second_and_sooner_when_a_run_has_ended_but_not_before_the_pause_is_over()
    {
        Look(10_000, 10_000);
        clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(count.IsDue(10_000));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(count.IsDue(10_000));

        Look(10_000, 10_000);
        count.NoteRoom();
        clock.Advance(TimeSpan.FromMilliseconds(49));
        Assert.False(count.IsDue(10_000));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(count.IsDue(10_000));

        Look(10_000, 10_000);
        clock.Advance(TimeSpan.FromMilliseconds(60));
        Assert.False(count.IsDue(10_000));
        Assert.True(count.IsDue(10_001)); // It was raised, and counted was up to what it was.
    }

    [Fact]
    public void Who_finds_no_room_while_it_is_counted_waits_for_that_and_who_finds_some_does_not()
    {
        Look(9, 10);
        count.Begin();
        Assert.False(count.IsDue(10));
        Take(1, 10);
        Assert.True(count.IsDue(10));
        count.End(5, 10);
        Assert.False(count.IsDue(10));
    }

    [Fact]
    public void A_count_that_failed_leaves_what_was_known_and_is_made_again_after_16_times_as_long()
    {
        Look(9, 10);
        Take(1, 10);
        count.Settle(isAdded: true);
        count.Begin();
        clock.Advance(TimeSpan.FromSeconds(5));
        count.GiveUp();

        Assert.False(count.TryTake(10));
        Assert.False(count.IsDue(10));
        clock.Advance(TimeSpan.FromSeconds(75)); // Since it was begun.
        Assert.True(count.IsDue(10));
        Look(3, 10);
        Take(7, 10);
    }

    [Fact]
    public void Where_the_first_count_fails_what_is_added_here_counts()
    {
        count.Begin();
        count.GiveUp();

        Assert.False(count.IsDue(10));
        Take(10, 10);
        Assert.False(count.TryTake(10));
    }

    private void Look(long open, long most)
    {
        count.Begin();
        count.End(open, most);
    }

    private void Take(int times, long most)
    {
        for (var i = 0; i < times; i++) Assert.True(count.TryTake(most));
    }
}
