using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class RepeatingOnPostgresTests(PostgresDatabases databases) : RepeatingContract(databases);

public sealed class RepeatingOnSqliteTests(SqliteDatabases databases) : RepeatingContract(databases), IClassFixture<SqliteDatabases>;

/// <summary>What a crash, or an observer that failed, leaves behind: a failing observer leaves exactly the rows that a crash there would.</summary>
public abstract class RepeatingContract(TestDatabases databases) : RegistryContract(databases)
{
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quarantine = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider clock = new();

    [Fact]
    public async Task A_completion_that_broke_off_is_finished_by_another_server()
    {
        var broken = await StartNodeAsync(clock);
        await RegisterAsync(broken, Registration("run"));
        await broken.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        broken.Observer.Failure = new TimeoutException("The broker is gone.");
        await Assert.ThrowsAsync<TimeoutException>(
            () => broken.Registry.CompleteAsync(Environment, Id("run"), Outcome.Failed, null, Cancelled));
        var node = await StartNodeAsync(clock);

        Assert.Equal(new Repeated(0, 0, null), await node.Registry.RepeatAsync(null, 10, Cancelled)); // Too early: somebody may be at it.
        clock.Advance(RepeatAfter);
        Assert.Equal(new Repeated(1, 0, null), await node.Registry.RepeatAsync(null, 10, Cancelled));

        Assert.Equal(["completed default/run failed"], node.Observer.Calls);
        Assert.Equal(Outcome.Failed, Assert.Single(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled)).Outcome);
        clock.Advance(RepeatAfter);
        Assert.Equal(new Repeated(0, 0, null), await node.Registry.RepeatAsync(null, 10, Cancelled));
    }

    [Fact]
    public async Task A_completion_that_broke_off_is_also_finished_by_asking_again()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        node.Observer.Failure = new TimeoutException();
        await Assert.ThrowsAsync<TimeoutException>(
            () => node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled));
        node.Observer.Failure = null;

        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);

        Assert.Equal(2, node.Observer.Calls.Count);
        clock.Advance(RepeatAfter);
        Assert.Equal(new Repeated(0, 0, null), await node.Registry.RepeatAsync(null, 10, Cancelled));
    }

    [Fact]
    public async Task An_erasure_that_broke_off_is_finished_and_then_the_id_is_free()
    {
        var broken = await StartNodeAsync(clock);
        await RegisterAsync(broken, Registration("run", "import"));
        await broken.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        broken.Observer.Failure = new TimeoutException("The broker is gone.");
        await Assert.ThrowsAsync<TimeoutException>(() => broken.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        var node = await StartNodeAsync(clock);

        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
        clock.Advance(RepeatAfter);
        Assert.Equal(new Repeated(1, 0, null), await node.Registry.RepeatAsync(null, 10, Cancelled));
        Assert.Empty(await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled));
        Assert.Equal(ErrorCode.RunConflict, (await RefusedAsync(node, Registration("run"))).Code);
        clock.Advance(Quarantine);
        Assert.Equal(new Repeated(1, 0, null), await node.Registry.RepeatAsync(null, 10, Cancelled));

        Assert.Equal(["erasing default/run", "erasing default/run"], node.Observer.Calls);
        await RegisterAsync(node, Registration("run", "export"));
    }

    [Fact]
    public async Task What_fails_again_does_not_keep_the_others_waiting()
    {
        var node = await StartNodeAsync(clock);
        node.Observer.Failure = new TimeoutException();
        string[] runs = ["a", "b", "c", "d", "e"];
        foreach (var run in runs)
        {
            await RegisterAsync(node, Registration(run));
            await Assert.ThrowsAsync<TimeoutException>(
                () => node.Registry.CompleteAsync(Environment, Id(run), Outcome.Completed, null, Cancelled));
        }
        clock.Advance(RepeatAfter);

        var first = await node.Registry.RepeatAsync(null, 2, Cancelled);
        var second = await node.Registry.RepeatAsync(first.Next, 2, Cancelled);
        node.Observer.Failure = null;
        var third = await node.Registry.RepeatAsync(second.Next, 2, Cancelled);

        Assert.Equal(new Repeated(0, 2, new RepeatCursor(Environment, Id("b"))), first);
        Assert.Equal(new Repeated(0, 2, new RepeatCursor(Environment, Id("d"))), second);
        Assert.Equal(new Repeated(1, 0, null), third);
    }

    [Fact]
    public async Task Of_two_servers_that_repeat_at_once_one_does_each_run()
    {
        TestNode[] nodes = [await StartNodeAsync(clock), await StartNodeAsync(clock)];
        nodes[0].Observer.Failure = new TimeoutException();
        for (var i = 0; i < 8; i++)
        {
            await RegisterAsync(nodes[0], Registration($"run{i}"));
            await Assert.ThrowsAsync<TimeoutException>(
                () => nodes[0].Registry.CompleteAsync(Environment, Id($"run{i}"), Outcome.Completed, null, Cancelled));
        }
        nodes[0].Observer.Failure = null;
        clock.Advance(RepeatAfter);

        var repeated = await Task.WhenAll(nodes.Select(node => Task.Run(() => node.Registry.RepeatAsync(null, 100, Cancelled), Cancelled)));

        Assert.Equal(8, repeated.Sum(one => one.Done));
        Assert.Equal(8 + 8, nodes.Sum(node => node.Observer.Calls.Count));
    }
}
