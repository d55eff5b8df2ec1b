using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class StreamExpiryOnPostgresTests(PostgresDatabases databases) : StreamExpiryContract(databases);

public sealed class StreamExpiryOnSqliteTests(SqliteDatabases databases) : StreamExpiryContract(databases), IClassFixture<SqliteDatabases>;

public abstract class StreamExpiryContract(TestDatabases databases) : RegistryContract(databases)
{
    private static readonly TimeSpan minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider clock = new();

    [Fact]
    public async Task A_stream_is_due_when_its_retention_is_over_and_after_that_when_it_was_put_off_to()
    {
        var node = await StartAsync("00:01:00");
        await BeginAsync(node, Registration("run"));
        clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromSeconds(1));
        Assert.Empty(await FindAsync(node));
        clock.Advance(TimeSpan.FromSeconds(1));

        var due = Assert.Single(await FindAsync(node));
        Assert.Equal((Stream("run", "a"), TimeSpan.FromMinutes(1), clock.GetUtcNow(), false), (due.Stream, due.Retention, due.NotedAt, due.Ended));

        var claimed = await Expiries(node).ClaimAsync(due, clock.GetUtcNow() + minute, Cancelled);
        Assert.Empty(await FindAsync(node));
        Assert.True(await Expiries(node).PutOffAsync(claimed!, clock.GetUtcNow() + (2 * minute), Cancelled));
        clock.Advance(minute);
        Assert.Empty(await FindAsync(node));
        clock.Advance(minute);
        Assert.True(await Expiries(node).PutOffAsync(Assert.Single(await FindAsync(node)), null, Cancelled));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await FindAsync(node));
    }

    [Fact]
    public async Task Of_two_nodes_that_found_the_same_stream_one_claims_it_and_who_dies_with_it_leaves_it_to_the_other()
    {
        var node = await StartAsync("00:01:00");
        var other = await StartNodeAsync(clock);
        await BeginAsync(node, Registration("run"));
        clock.Advance(TimeSpan.FromMinutes(1));
        var (here, there) = (Assert.Single(await FindAsync(node)), Assert.Single(await FindAsync(other)));

        var won = await Task.WhenAll(
            Expiries(node).ClaimAsync(here, clock.GetUtcNow() + minute, Cancelled), Expiries(other).ClaimAsync(there, clock.GetUtcNow() + minute, Cancelled));

        var winner = Assert.Single(won, claimed => claimed is not null);
        Assert.Empty(await FindAsync(other));
        clock.Advance(minute);
        var again = Assert.Single(await FindAsync(other));
        Assert.NotNull(await Expiries(other).ClaimAsync(again, clock.GetUtcNow() + minute, Cancelled));
        Assert.False(await Expiries(node).PutOffAsync(winner!, null, Cancelled)); // It was not dead, only slow.
    }

    [Fact]
    public async Task The_retention_in_force_is_the_runs_else_its_versions_at_most_the_environments_at_most_the_servers()
    {
        var node = await StartAsync("00:48:00");
        var retention = node.Services.GetRequiredService<IRetention>();
        var plain = await BeginAsync(node, Registration("plain"));
        var old = await BeginAsync(node, Registration("old", version: StreamsVersion.V1));
        var own = await BeginAsync(node, Registration("own") with { Retention = TimeSpan.FromMinutes(36) });
        var oldWithItsOwn = await BeginAsync(node, Registration("oldWithItsOwn", version: StreamsVersion.V1) with { Retention = TimeSpan.FromMinutes(36) });
        Assert.Equal(TimeSpan.FromMinutes(36), own.Retention);
        Assert.Equal([48, 24, 36, 36], Minutes());

        await SetAsync(node, TimeSpan.FromMinutes(30));
        Assert.Equal([30, 24, 30, 30], Minutes());
        await SetAsync(node, TimeSpan.FromMinutes(12));
        Assert.Equal([12, 12, 12, 12], Minutes());
        clock.Advance(TimeSpan.FromMinutes(48));
        var due = await FindAsync(node);
        Assert.Equal(4, due.Count);
        Assert.All(due, one => Assert.Equal(TimeSpan.FromMinutes(12), one.Retention));

        double[] Minutes() => [.. ((Run[])[plain, old, own, oldWithItsOwn]).Select(run => retention.Of(Environment, run).TotalMinutes)];
    }

    [Fact]
    public async Task A_row_is_made_with_the_retention_of_its_run()
    {
        var node = await StartAsync("00:48:00");
        await BeginAsync(node, Registration("plain"));
        await BeginAsync(node, Registration("old", version: StreamsVersion.V1));
        await BeginAsync(node, Registration("own") with { Retention = TimeSpan.FromMinutes(1) });

        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["own"], (await FindAsync(node)).Select(due => due.Stream.Run.Value));
        clock.Advance(TimeSpan.FromMinutes(23));
        Assert.Equal(["own", "old"], (await FindAsync(node)).Select(due => due.Stream.Run.Value));
        clock.Advance(TimeSpan.FromMinutes(24));
        Assert.Equal(["own", "old", "plain"], (await FindAsync(node)).Select(due => due.Stream.Run.Value));
        Assert.Equal(["own", "old"], (await Expiries(node).FindDueAsync(2, Cancelled)).Select(due => due.Stream.Run.Value));
    }

    [Theory]
    [InlineData(59, "at least 60")]
    [InlineData(-1, "at least 60")]
    [InlineData(61.5, "whole number")]
    [InlineData((48 * 60) + 1, "at most 2880")]
    public async Task A_retention_out_of_its_bounds_is_refused_and_the_message_names_them(double seconds, string bound)
    {
        var node = await StartAsync("00:48:00");

        var refusal = await RefusedAsync(node, Registration("run") with { Retention = TimeSpan.FromSeconds(seconds) });

        Assert.Equal(ErrorCode.InvalidRequest, refusal.Code);
        Assert.Contains("retentionInSeconds", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains(bound, refusal.Detail, StringComparison.Ordinal);
        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
    }

    [Fact]
    public async Task A_repeated_registration_finds_its_run_when_the_environments_retention_is_shorter_by_then_and_another_retention_is_another_content()
    {
        var node = await StartAsync("00:48:00");
        var registration = Registration("run") with { Retention = TimeSpan.FromMinutes(36) };
        await RegisterAsync(node, registration);
        await SetAsync(node, TimeSpan.FromMinutes(12));

        Assert.False(Assert.IsType<RegisterOutcome.Registered>(await node.Registry.RegisterAsync(Environment, registration, Cancelled)).New);
        var conflict = await RefusedAsync(node, Registration("run"));
        Assert.Equal(ErrorCode.RunConflict, conflict.Code);
        Assert.Contains("retentionInSeconds", conflict.Detail, StringComparison.Ordinal);
        Assert.Contains("at most 720", (await RefusedAsync(node, Registration("other") with { Retention = TimeSpan.FromMinutes(36) })).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_an_environments_retention_becomes_shorter_its_streams_are_due_earlier_a_bounded_piece_at_a_time_and_others_are_left_alone()
    {
        var node = await StartAsync("00:48:00");
        for (var i = 0; i < 5; i++) await BeginAsync(node, Registration($"run{i}"));
        await BeginAsync(node, Registration("short") with { Retention = TimeSpan.FromMinutes(1) });
        Assert.Equal(0, await Expiries(node).PullInAsync(3, Cancelled));

        clock.Advance(TimeSpan.FromSeconds(30));
        await SetAsync(node, TimeSpan.FromMinutes(6));

        Assert.True(await Expiries(node).PullInAsync(2, Cancelled) >= 2);
        Assert.True((await FindAsync(node)).Count is >= 2 and <= 5);
        while (await Expiries(node).PullInAsync(2, Cancelled) > 0)
        {
        }
        Assert.Equal(["run0", "run1", "run2", "run3", "run4"], (await FindAsync(node)).Select(due => due.Stream.Run.Value).Order());

        await SetAsync(node, null); // Longer again: whoever looks puts them off.
        Assert.All(await FindAsync(node), due => Assert.Equal(TimeSpan.FromMinutes(48), due.Retention));
    }

    [Fact]
    public async Task Streams_of_a_run_that_is_being_erased_are_not_looked_at()
    {
        var node = await StartAsync("00:01:00");
        await BeginAsync(node, Registration("run"));
        node.Observer.Failure = new TimeoutException();
        await Assert.ThrowsAsync<TimeoutException>(() => node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await FindAsync(node));
    }

    private async Task<TestNode> StartAsync(string retention)
    {
        Settings["RealtimeStreams:Retention"] = retention;
        Settings["RealtimeStreams:V1:Retention"] = "00:24:00";
        return await StartNodeAsync(clock);
    }

    private static async Task<Run> BeginAsync(TestNode node, RunRegistration registration)
    {
        var run = await RegisterAsync(node, registration);
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(Stream(run.Id.Value, "a"), Cancelled));
        return run;
    }

    private static async Task SetAsync(TestNode node, TimeSpan? retention) =>
        Assert.IsType<EnvironmentSettingsOutcome.Changed>(await node.Services.GetRequiredService<IEnvironmentSettings>().ChangeAsync(
            Environment, new Dictionary<string, long?> { ["retentionInSeconds"] = (long?)retention?.TotalSeconds }, "a test", Cancelled));

    private static IStreamExpiries Expiries(TestNode node) => node.Services.GetRequiredService<IStreamExpiries>();

    private static Task<IReadOnlyList<DueStream>> FindAsync(TestNode node) => Expiries(node).FindDueAsync(100, Cancelled);
}
