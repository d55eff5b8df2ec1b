using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class CompletingOnPostgresTests(PostgresDatabases databases) : CompletingContract(databases);

public sealed class CompletingOnSqliteTests(SqliteDatabases databases) : CompletingContract(databases), IClassFixture<SqliteDatabases>;

public abstract class CompletingContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task Completing_ends_the_run_and_has_its_observers_close_the_streams()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        await node.Registry.AdmitAsync(Stream("run", "b"), Cancelled);
        await node.Registry.MarkClosedAsync(Stream("run", "b"), Outcome.Completed, Cancelled);

        var run = await CompleteAsync(node, Outcome.Failed, "no\0 \ud800more");

        Assert.Equal((RunStatus.Failed, "no\ufffd \ufffdmore"), (run.Status, run.Error));
        Assert.NotNull(run.CompletedAt);
        Assert.Equal(["completed default/run failed"], node.Observer.Calls);
        Assert.Equal(
            [Outcome.Failed, Outcome.Completed],
            (await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled)).Select(row => row.Outcome));
    }

    [Fact]
    public async Task Completing_again_with_the_same_outcome_succeeds_and_changes_nothing()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        var first = await CompleteAsync(node, Outcome.Failed, "first");

        var second = await CompleteAsync(node, Outcome.Failed, "second");

        Assert.Equivalent(first, second);
        Assert.Single(node.Observer.Calls);
    }

    [Fact]
    public async Task Completing_again_with_another_outcome_is_refused()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        await CompleteAsync(node, Outcome.Completed);

        var refusal = await RefusedAsync(node, "run", Outcome.Cancelled);

        Assert.Equal((ErrorCode.RunCompleted, "The run run has ended (completed)."), (refusal.Code, refusal.Detail));
    }

    [Fact]
    public async Task Nobody_but_the_server_abandons()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));

        Assert.Equal(ErrorCode.InvalidRequest, (await RefusedAsync(node, "run", Outcome.Abandoned)).Code);
        Assert.Equal(ErrorCode.InvalidRequest, (await RefusedAsync(node, "run", (Outcome)17)).Code);
        Assert.Equal(RunStatus.Open, (await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.Status);
    }

    [Fact]
    public async Task An_error_that_is_too_long_is_refused_and_the_run_goes_on()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));

        var refusal = Assert.IsType<CompleteOutcome.Refused>(
            await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Failed, new string('x', 8193), Cancelled)).Refusal;

        Assert.Equal("error is 8193 characters long; at most 8192 are allowed.", refusal.Detail);
        Assert.Equal(RunStatus.Open, (await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.Status);
    }

    [Fact]
    public async Task A_run_that_is_not_there_cannot_be_completed()
    {
        var node = await StartNodeAsync();

        Assert.Equal(ErrorCode.RunNotFound, (await RefusedAsync(node, "gone", Outcome.Completed)).Code);
    }

    [Fact]
    public async Task Of_many_that_complete_at_once_one_decides()
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];
        await RegisterAsync(nodes[0], Registration("run"));
        Outcome[] wanted = [Outcome.Completed, Outcome.Failed, Outcome.Cancelled];

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(
            () => nodes[i % 2].Registry.CompleteAsync(Environment, Id("run"), wanted[i % 3], null, Cancelled), Cancelled)));

        var status = (await nodes[0].Registry.FindAsync(Environment, Id("run"), Cancelled))!.Status;
        for (var i = 0; i < outcomes.Length; i++)
            Assert.Equal((int)wanted[i % 3] == (int)status, outcomes[i] is CompleteOutcome.Completed);
    }

    private static async Task<Run> CompleteAsync(TestNode node, Outcome outcome, string? error = null) =>
        Assert.IsType<CompleteOutcome.Completed>(
            await node.Registry.CompleteAsync(Environment, Id("run"), outcome, error, Cancelled)).Run;

    private static async Task<Refusal> RefusedAsync(TestNode node, string run, Outcome outcome) =>
        Assert.IsType<CompleteOutcome.Refused>(
            await node.Registry.CompleteAsync(Environment, Id(run), outcome, null, Cancelled)).Refusal;
}
