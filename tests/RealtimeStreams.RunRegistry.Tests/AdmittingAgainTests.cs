using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class AdmittingAgainOnPostgresTests(PostgresDatabases databases) : AdmittingAgainContract(databases);

public sealed class AdmittingAgainOnSqliteTests(SqliteDatabases databases) : AdmittingAgainContract(databases), IClassFixture<SqliteDatabases>;

/// <summary>What is said to those who write for longer than a request lasts.</summary>
public abstract class AdmittingAgainContract(TestDatabases databases) : RegistryContract(databases)
{
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Who_was_admitted_is_admitted_again_whether_or_not_it_is_remembered()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var before = await AdmittedAsync(node);

        Assert.Same(before, await AgainAsync(node, before));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(before.RegisteredAt, Assert.IsType<StreamAdmission.Admitted>(await AgainAsync(node, before)).RegisteredAt);
    }

    [Fact]
    public async Task Who_was_admitted_before_the_run_ended_or_was_erased_is_refused_as_anybody_is()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var before = await AdmittedAsync(node);

        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);
        Assert.Equal(ErrorCode.RunCompleted, RefusalOf(await AgainAsync(node, before)).Code);
        await node.Registry.EraseAsync(Environment, Id("run"), Cancelled);
        Assert.Equal(ErrorCode.RunNotFound, RefusalOf(await AgainAsync(node, before)).Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_was_admitted_to_an_erased_run_is_not_admitted_to_another_with_its_id_and_makes_no_stream_in_it(bool isRemembered)
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var before = await AdmittedAsync(node);
        await ReplaceAsync(node);
        if (isRemembered) await AdmittedAsync(node);

        var refusal = RefusalOf(await AgainAsync(node, before));

        Assert.Equal((ErrorCode.StreamGone, "The run run that was written to was erased; what has its id now is another run."), (refusal.Code, refusal.Detail));
        Assert.Equal(isRemembered ? 1 : 0, (await node.Registry.ListStreamsAsync(Environment, Id("run"), Cancelled)).Count);
    }

    [Fact]
    public async Task A_server_that_did_not_hear_of_the_erasure_counts_the_bytes_of_the_new_run_apart()
    {
        var node = await StartNodeAsync(clock);
        var deaf = await StartNodeAsync(clock); // Hears no announcements of the first.
        await RegisterAsync(node, Registration("run"));
        var before = await AdmittedAsync(deaf);
        before.Usage!.Take(100);
        before.Usage.Settle(100, 100);

        await ReplaceAsync(node);

        Assert.Equal(ErrorCode.StreamGone, RefusalOf(await AgainAsync(deaf, before)).Code);
        var now = await AdmittedAsync(deaf);
        Assert.NotEqual(before.RegisteredAt, now.RegisteredAt);
        Assert.Equal(0, now.Usage!.Bytes);
        Assert.Same(now, await AgainAsync(deaf, now));
    }

    [Fact]
    public async Task A_remembered_yes_is_said_again_at_once_and_without_allocation()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var before = await AdmittedAsync(node);
        var stream = Stream("run", "s");
        for (var i = 0; i < 1000; i++) await node.Registry.AdmitAgainAsync(stream, before, null, Cancelled); // Warm.

        var start = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) await node.Registry.AdmitAgainAsync(stream, before, null, Cancelled); // Had one of them waited, this would be another thread's.

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - start);
    }

    private async Task ReplaceAsync(TestNode node)
    {
        Assert.True(await node.Registry.EraseAsync(Environment, Id("run"), Cancelled));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, (await node.Registry.RepeatAsync(null, 10, Cancelled)).Done);
        await RegisterAsync(node, Registration("run"));
    }

    private static async Task<StreamAdmission.Admitted> AdmittedAsync(TestNode node) =>
        Assert.IsType<StreamAdmission.Admitted>(await node.Registry.AdmitAsync(Stream("run", "s"), Cancelled));

    private static async Task<StreamAdmission> AgainAsync(TestNode node, StreamAdmission.Admitted before) =>
        await node.Registry.AdmitAgainAsync(Stream("run", "s"), before, null, Cancelled);

    private static Refusal RefusalOf(StreamAdmission admission) => Assert.IsType<StreamAdmission.Refused>(admission).Refusal;
}
