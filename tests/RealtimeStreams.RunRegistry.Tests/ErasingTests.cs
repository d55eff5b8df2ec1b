using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class ErasingOnPostgresTests(PostgresDatabases databases) : ErasingContract(databases);

public sealed class ErasingOnSqliteTests(SqliteDatabases databases) : ErasingContract(databases), IClassFixture<SqliteDatabases>;

public abstract class ErasingContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task A_run_with_many_streams_loses_their_rows_a_bounded_step_at_a_time_and_the_next_run_keeps_its_own()
    {
        var node = await StartNodeAsync();
        foreach (var run in (string[])["run", "run0"]) await RegisterAsync(node, Registration(run));
        var database = node.Services.GetRequiredService<RegistryDatabase>();
        await database.ChangeAsync("test", async (context, token) =>
        {
            context.Streams.AddRange(Enumerable.Range(0, 11_000).Select(i => Row("run", $"key{i % 7}-{i}")).Append(Row("run0", "a")));
            return await context.SaveChangesAsync(token);
        }, Cancelled);
        using var operations = new MetricCollector<double>(
            node.Services.GetRequiredService<IMeterFactory>(), "RealtimeStreams.RunRegistry", "realtimestreams.runregistry.operation.duration");

        Assert.True(await node.Registry.EraseAsync(TestNode.Environment, Id("run"), Cancelled));

        Assert.Equal(3, operations.GetMeasurementSnapshot().Count(one => one.Tags["operation"] is "erase_streams")); // 5,000, 5,000, and none: the last go with the run.
        Assert.Empty(await node.Registry.ListStreamsAsync(TestNode.Environment, Id("run"), Cancelled));
        Assert.Single(await node.Registry.ListStreamsAsync(TestNode.Environment, Id("run0"), Cancelled));

        StoredStream Row(string run, string key) =>
            new() { Environment = TestNode.Environment.Value, Run = run, Key = key, CreatedAt = database.Now(), ExpiresAt = database.Now().AddDays(1) };
    }

    [Fact]
    public async Task An_erased_run_is_found_by_nobody()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run", "import", tags: ["a"]));
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        await node.Registry.FindFamilyAsync(Environment, Id("run"), Cancelled);

        Assert.True(await node.Registry.EraseAsync(Environment, Id("run"), Cancelled));

        Assert.Equal(["erasing default/run"], node.Observer.Calls);
        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
        Assert.Null(await node.Registry.FindFamilyAsync(Environment, Id("run"), Cancelled));
        Assert.Empty(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
        Assert.Equal(ErrorCode.RunNotFound, Refusal(await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled)).Code);
        var completed = await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);
        Assert.Equal(ErrorCode.RunNotFound, Assert.IsType<CompleteOutcome.Refused>(completed).Refusal.Code);
        Assert.Equal(ErrorCode.RunNotFound, (await RefusedAsync(node, Registration("child", parent: "run"))).Code);
        var list = await node.Registry.ListAsync(Environment, new RunQuery(null, null, null, null, 10), Cancelled);
        Assert.Empty(Assert.IsType<RunListOutcome.Listed>(list).Runs);
    }

    [Fact]
    public async Task Erasing_what_is_not_there_says_so()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        await node.Registry.EraseAsync(Environment, Id("run"), Cancelled);

        Assert.False(await node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        Assert.False(await node.Registry.EraseAsync(Environment, Id("gone"), Cancelled));
    }

    [Fact]
    public async Task An_ended_run_can_be_erased_too()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);

        Assert.True(await node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
    }

    [Fact]
    public async Task An_erasure_that_broke_off_is_finished_by_asking_again()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        node.Observer.Failure = new TimeoutException();
        await Assert.ThrowsAsync<TimeoutException>(() => node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
        node.Observer.Failure = null;

        Assert.True(await node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        Assert.Empty(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
    }

    [Fact]
    public async Task Of_many_that_erase_and_admit_at_once_no_row_is_left()
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];
        await RegisterAsync(nodes[0], Registration("run"));

        await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            async () =>
            {
                if (i % 8 == 3) await nodes[i % 2].Registry.EraseAsync(Environment, Id("run"), Cancelled);
                else await nodes[i % 2].Registry.AdmitAsync(Stream("run", $"key{i}"), Cancelled);
            },
            Cancelled)));

        Assert.Empty(await nodes[0].Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
    }

    private static Refusal Refusal(StreamAdmission admission) => Assert.IsType<StreamAdmission.Refused>(admission).Refusal;
}
