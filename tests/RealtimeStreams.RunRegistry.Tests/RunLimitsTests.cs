using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class RunLimitsOnPostgresTests(PostgresDatabases databases) : RunLimitsContract(databases);

public sealed class RunLimitsOnSqliteTests(SqliteDatabases databases) : RunLimitsContract(databases), IClassFixture<SqliteDatabases>;

public abstract class RunLimitsContract(TestDatabases databases) : RegistryContract(databases)
{
    private const long MiB = 1024 * 1024;

    [Fact]
    public async Task The_limits_of_the_versions_hold_where_nothing_is_set()
    {
        var node = await StartNodeAsync();

        Assert.Equal(new RunLimits(10 * MiB, 2000, 10, 5), Limits(node).Of(Environment, StreamsVersion.V1));
        Assert.Equal(new RunLimits(300 * MiB, null, null, null), Limits(node).Of(Environment, StreamsVersion.V2));
    }

    [Fact]
    public async Task Of_what_version_and_environment_say_the_lower_holds_and_another_environment_is_not_touched()
    {
        Settings["RealtimeStreams:V2:MaxStreams"] = "20";
        Settings["RealtimeStreams:V1:MaxRunBytes"] = "4000";
        var node = await StartNodeAsync();

        await SetAsync(node, ("maxStreamBytes", 100 * MiB), ("maxChunks", 3000), ("maxStreams", 7), ("maxActiveStreams", 6), ("maxRunBytes", 3999));

        Assert.Equal(new RunLimits(10 * MiB, 2000, 7, 5, 3999), Limits(node).Of(Environment, StreamsVersion.V1));
        Assert.Equal(new RunLimits(100 * MiB, 3000, 7, 6, 3999), Limits(node).Of(Environment, StreamsVersion.V2));
        Assert.Equal(new RunLimits(300 * MiB, null, 20, null), Limits(node).Of(EnvironmentId.Parse("other"), StreamsVersion.V2));
    }

    [Theory]
    [InlineData("maxStreamBytes", 1000)]
    [InlineData("maxChunks", 5000)]
    [InlineData("maxStreams", 30)]
    [InlineData("maxActiveStreams", 40)]
    [InlineData("maxRunBytes", 7000)]
    [InlineData("maxOpenRuns", 8000)]
    public async Task Nothing_is_set_above_what_the_server_gives(string name, long most)
    {
        Settings["RealtimeStreams:MaxStreamBytes"] = "1000";
        Settings["RealtimeStreams:V2:MaxChunks"] = "5000";
        Settings["RealtimeStreams:V2:MaxStreams"] = "30";
        Settings["RealtimeStreams:V2:MaxActiveStreams"] = "40";
        Settings["RealtimeStreams:V1:MaxRunBytes"] = "6000";
        Settings["RealtimeStreams:V2:MaxRunBytes"] = "7000";
        Settings["RealtimeStreams:MaxOpenRuns"] = "8000";
        var node = await StartNodeAsync();

        foreach (var wrong in (long[])[most + 1, 0, -1, long.MaxValue])
        {
            var refused = Assert.IsType<EnvironmentSettingsOutcome.Refused>(await ChangeAsync(node, (name, wrong)));
            Assert.Equal((ErrorCode.InvalidRequest, name), (refused.Refusal.Code, refused.Field));
            Assert.Contains($"{name} must be a whole number from 1 to {most}", refused.Refusal.Detail, StringComparison.Ordinal);
        }
        await SetAsync(node, (name, most), (name == "maxChunks" ? "maxStreams" : "maxChunks", 1));
    }

    [Fact]
    public async Task A_server_whose_own_limits_are_lower_by_now_keeps_to_its_own()
    {
        var node = await StartNodeAsync();
        await SetAsync(node, ("maxStreamBytes", 200 * MiB), ("maxChunks", 100_000));
        Settings["RealtimeStreams:MaxStreamBytes"] = "1000";
        Settings["RealtimeStreams:V2:MaxChunks"] = "50";

        var lower = await StartNodeAsync();

        Assert.Equal(new RunLimits(1000, 50, null, null), Limits(lower).Of(Environment, StreamsVersion.V2));
        Assert.Equal(new RunLimits(1000, 2000, 10, 5), Limits(lower).Of(Environment, StreamsVersion.V1));
    }

    [Fact]
    public async Task Streams_beyond_an_environments_limits_are_refused_with_the_value_here_at_once_and_elsewhere_within_a_second()
    {
        var clock = new FakeTimeProvider();
        var node = await StartNodeAsync(clock);
        var other = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        foreach (var key in (string[])["a", "b", "c"]) await AdmitAsync(node, key);

        await SetAsync(node, ("maxStreams", 3));

        Assert.Equal((ErrorCode.LimitReached, "A run of this environment has at most 3 streams; this one has them."), await RefusedAsync(node, "d"));
        await AdmitAsync(other, "d"); // Time stands still, so that it has not looked.
        clock.Advance(TimeSpan.FromSeconds(1));
        await Until.TrueAsync(
            () => "The other server does not know.",
            () => Limits(other).Of(Environment, StreamsVersion.V2).MaxStreams == 3,
            TimeSpan.FromSeconds(30));
        Assert.Equal((ErrorCode.LimitReached, "A run of this environment has at most 3 streams; this one has them."), await RefusedAsync(other, "e"));
        await SetAsync(node, ("maxStreams", null), ("maxActiveStreams", 4));
        Assert.Equal(
            (ErrorCode.LimitReached, "A run of this environment has at most 4 active streams; this one has them. Close one first."), await RefusedAsync(node, "e"));
        await node.Registry.MarkClosedAsync(Stream("run", "a"), Outcome.Completed, Cancelled);
        await AdmitAsync(node, "e");
    }

    [Fact]
    public async Task A_limit_of_the_version_is_told_as_such_also_where_the_environment_has_one()
    {
        var node = await StartNodeAsync();
        await SetAsync(node, ("maxStreams", 30), ("maxActiveStreams", 30));
        await RegisterAsync(node, Registration("run", version: StreamsVersion.V1));
        for (var i = 0; i < 5; i++) await AdmitAsync(node, $"key{i}");

        Assert.Equal(
            (ErrorCode.LimitReached, "A run of streams version v1 has at most 5 active streams; this one has them. Close one first."), await RefusedAsync(node, "more"));
    }

    [Fact]
    public async Task Asking_for_limits_allocates_nothing()
    {
        var node = await StartNodeAsync();
        await SetAsync(node, ("maxStreamBytes", 7), ("maxChunks", 3000));
        var (limits, sum) = (Limits(node), 0L);
        for (var i = 0; i < 1000; i++) sum += limits.Of(Environment, StreamsVersion.V2).MaxStreamBytes; // Warm.
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) sum += limits.Of(Environment, StreamsVersion.V2).MaxStreamBytes;

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1100 * 7, sum);
    }

    private static IRunLimits Limits(TestNode node) => node.Services.GetRequiredService<IRunLimits>();

    private static Task<EnvironmentSettingsOutcome> ChangeAsync(TestNode node, params (string Name, long? Value)[] changes) =>
        node.Services.GetRequiredService<IEnvironmentSettings>().ChangeAsync(
            Environment, changes.ToDictionary(change => change.Name, change => change.Value), "a test", Cancelled);

    private static async Task SetAsync(TestNode node, params (string Name, long? Value)[] changes) =>
        Assert.IsType<EnvironmentSettingsOutcome.Changed>(await ChangeAsync(node, changes));

    private static async Task AdmitAsync(TestNode node, string key) =>
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(Stream("run", key), Cancelled));

    private static async Task<(ErrorCode Code, string Detail)> RefusedAsync(TestNode node, string key)
    {
        var refusal = Assert.IsType<StreamAdmission.Refused>(await node.Registry.AdmitAsync(Stream("run", key), Cancelled)).Refusal;
        return (refusal.Code, refusal.Detail);
    }
}
