using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class TriggeredRunOnPostgresTests(PostgresDatabases databases) : TriggeredRunContract(databases);

public sealed class TriggeredRunOnSqliteTests(SqliteDatabases databases) : TriggeredRunContract(databases), IClassFixture<SqliteDatabases>;

public abstract class TriggeredRunContract(TestDatabases databases) : RegistryContract(databases)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_triggered_run_is_queued_then_claimed_with_its_payload_then_ended_with_its_output()
    {
        var node = await StartNodeAsync(clock);
        var queued = await TriggerAsync(node, "run", "mail", "{\"to\":\"ä\"}");
        Assert.True(queued.IsQueued);
        Assert.Equal((0, null, null), (queued.Attempt, queued.StartedAt, queued.LeaseUntil));
        clock.Advance(TimeSpan.FromSeconds(5));

        var claimed = await ClaimAsync(node, "worker 1", "mail");

        Assert.NotNull(claimed);
        Assert.Equal((Id("run"), "{\"to\":\"ä\"}", "application/json", 1, "worker 1"),
            (claimed.Id, claimed.Payload, claimed.PayloadType, claimed.Attempt, claimed.Worker));
        Assert.Equal((clock.GetUtcNow(), clock.GetUtcNow() + Lease), (claimed.StartedAt, claimed.LeaseUntil));
        Assert.False(claimed.IsQueued);
        Assert.Equivalent(claimed, await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
        Assert.Null((await node.Registry.FindBriefAsync(Environment, Id("run"), Cancelled))!.Payload);

        var ended = await CompleteAsync(node, "run", new RunEnd(Outcome.Completed) { Output = "[1]", OutputType = "application/json", Attempt = 1 });

        Assert.Equal((RunStatus.Completed, "[1]", "application/json", "{\"to\":\"ä\"}"), (ended.Status, ended.Output, ended.OutputType, ended.Payload));
        Assert.Null(ended.LeaseUntil);
        Assert.Equivalent(ended, await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
        Assert.Equivalent(ended, await CompleteAsync(node, "run", new RunEnd(Outcome.Completed) { Output = "[2]", Attempt = 1 })); // The first stays.
        Assert.Null(await ClaimAsync(node, "worker 1", "mail"));
    }

    [Fact]
    public async Task An_ordinary_run_is_never_queued_nor_claimed_and_can_give_something_too()
    {
        var node = await StartNodeAsync(clock);
        var run = await RegisterAsync(node, Registration("run", "mail") with { Payload = "1" });

        Assert.False(run.IsQueued);
        Assert.Equal(run.CreatedAt, run.StartedAt);
        Assert.Null(await ClaimAsync(node, "worker", "mail"));
        Assert.Equal("2", (await CompleteAsync(node, "run", new RunEnd(Outcome.Failed, "no") { Output = "2" })).Output);
        await RegisterAsync(node, Registration("bare"));
        Assert.Equal("3", (await CompleteAsync(node, "bare", new RunEnd(Outcome.Completed) { Output = "3" })).Output);
    }

    [Fact]
    public async Task The_oldest_is_claimed_first_and_only_of_the_tasks_that_were_named()
    {
        var node = await StartNodeAsync(clock);
        foreach (var (run, task) in new (string, string)[] { ("b", "x"), ("a", "y"), ("c", "z"), ("d", "x") })
        {
            await TriggerAsync(node, run, task);
            clock.Advance(TimeSpan.FromMilliseconds(10));
        }

        List<string?> claimed = [];
        for (var i = 0; i < 4; i++) claimed.Add((await ClaimAsync(node, "worker", "x", "y", "none"))?.Id.Value);

        Assert.Equal(["b", "a", "d", null], claimed);
    }

    [Fact]
    public async Task Many_workers_on_several_nodes_claim_each_run_once()
    {
        // On a clock that stands still: no lease runs out, however busy the machine is.
        TestNode[] nodes = [await StartNodeAsync(clock), await StartNodeAsync(clock), await StartNodeAsync(clock)];
        for (var i = 0; i < 40; i++) await TriggerAsync(nodes[i % 3], $"run{i}", $"task{i % 2}");

        var claimed = await Task.WhenAll(Enumerable.Range(0, 9).Select(i => Task.Run(async () =>
        {
            List<Run> mine = [];
            while (await ClaimAsync(nodes[i % 3], $"worker{i}", "task0", "task1") is { } run) mine.Add(run);
            return mine;
        }, Cancelled)));

        Assert.Equal(40, claimed.Sum(mine => mine.Count));
        Assert.Equal(40, claimed.SelectMany(mine => mine).Select(run => run.Id).Distinct().Count());
        Assert.All(claimed.SelectMany(mine => mine), run => Assert.Equal(1, run.Attempt));
    }

    [Fact]
    public async Task A_claim_whose_lease_ran_out_is_lost_to_the_next_attempt()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "run", "mail", "1");
        var first = (await ClaimAsync(node, "worker 1", "mail"))!;
        clock.Advance(Lease - TimeSpan.FromSeconds(1));
        Assert.Null(await ClaimAsync(node, "worker 2", "mail"));
        clock.Advance(TimeSpan.FromSeconds(1));

        var second = (await ClaimAsync(node, "worker 2", "mail"))!;

        Assert.Equal((2, "worker 2", "1", first.StartedAt), (second.Attempt, second.Worker, second.Payload, second.StartedAt));
        Assert.Equal(ErrorCode.ClaimLost, (await RenewRefusedAsync(node, "worker 1", 1)).Code);
        Assert.Equal(ErrorCode.ClaimLost, (await RenewRefusedAsync(node, "worker 1", 2)).Code);
        Assert.Equal(ErrorCode.ClaimLost, (await CompleteRefusedAsync(node, new RunEnd(Outcome.Completed) { Attempt = 1 })).Code);
        Assert.Equal(RunStatus.Open, (await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.Status);
        await CompleteAsync(node, "run", new RunEnd(Outcome.Completed) { Attempt = 2 });
        Assert.Equal(ErrorCode.ClaimLost, (await CompleteRefusedAsync(node, new RunEnd(Outcome.Completed) { Attempt = 1 })).Code);
        Assert.Equal(ErrorCode.RunCompleted, (await RenewRefusedAsync(node, "worker 2", 2)).Code);
    }

    [Fact]
    public async Task A_renewed_claim_holds_also_if_it_was_late_and_nobody_came()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "run", "mail");
        await ClaimAsync(node, "worker", "mail");
        foreach (var seconds in (int[])[29, 29, 90])
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            var renewed = Assert.IsType<RenewOutcome.Renewed>(await RenewAsync(node, "worker", 1));
            Assert.Equal(clock.GetUtcNow() + Lease, renewed.LeaseUntil);
            Assert.Null(await ClaimAsync(node, "other", "mail"));
        }
        Assert.Equal(ErrorCode.RunNotFound, Assert.IsType<RenewOutcome.Refused>(
            await Claims(node).RenewAsync(Environment, Id("none"), "worker", 1, Lease, Cancelled)).Refusal.Code);
    }

    [Fact]
    public async Task A_run_that_is_given_back_waits_at_once_in_front_of_later_ones()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "run", "mail");
        await ClaimAsync(node, "worker 1", "mail");
        clock.Advance(TimeSpan.FromSeconds(1));
        await TriggerAsync(node, "later", "mail");
        Assert.Equal(ErrorCode.ClaimLost, Assert.IsType<RenewOutcome.Refused>(
            await Claims(node).ReleaseAsync(Environment, Id("run"), "worker 2", 1, Cancelled)).Refusal.Code);
        using var signal = node.Services.GetRequiredService<IRunSignals>().WatchTriggered(Environment, ["mail"]);

        Assert.IsType<RenewOutcome.Renewed>(await Claims(node).ReleaseAsync(Environment, Id("run"), "worker 1", 1, Cancelled));
        Assert.Equal(ErrorCode.ClaimLost, Assert.IsType<RenewOutcome.Refused>(await RenewAsync(node, "worker 1", 1)).Refusal.Code); // One that was late on its way.

        Assert.True(await signal.WaitAsync(TimeSpan.FromSeconds(30), Cancelled));
        var next = (await ClaimAsync(node, "worker 2", "mail"))!;
        Assert.Equal((Id("run"), 2), (next.Id, next.Attempt));
        Assert.Equal(ErrorCode.ClaimLost, Assert.IsType<RenewOutcome.Refused>(
            await Claims(node).ReleaseAsync(Environment, Id("run"), "worker 1", 1, Cancelled)).Refusal.Code);
    }

    [Fact]
    public async Task A_run_that_was_cancelled_or_erased_before_anybody_came_is_not_claimed()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "a", "mail");
        await TriggerAsync(node, "b", "mail", key: "once");
        await CompleteAsync(node, "a", new RunEnd(Outcome.Cancelled));
        await node.Registry.EraseAsync(Environment, Id("b"), Cancelled);

        Assert.Null(await ClaimAsync(node, "worker", "mail"));
        Assert.False((await node.Registry.FindAsync(Environment, Id("a"), Cancelled))!.IsQueued);
        Assert.Equal(Id("c"), (await TriggerAsync(node, "c", "mail", key: "once")).Id); // An erased run's key is free.
    }

    [Fact]
    public async Task A_repeated_idempotency_key_finds_the_first_run_of_its_task_on_every_node()
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];
        var registration = Registration(taskId: "mail") with { Triggered = true, IdempotencyKey = "key", Payload = "1" };

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(
            async () => (RegisterOutcome.Registered)await nodes[i % 2].Registry.RegisterAsync(Environment, registration with { Payload = $"{i}" }, Cancelled), Cancelled)));

        Assert.Single(outcomes, outcome => outcome.New);
        Assert.Single(outcomes.Select(outcome => (outcome.Run.Id, outcome.Run.Payload)).Distinct());
        Assert.NotEqual(outcomes[0].Run.Id, (await RegisterAsync(nodes[0], registration with { TaskId = "other" })).Id);
        Assert.NotEqual(outcomes[0].Run.Id, (await RegisterAsync(nodes[0], registration with { IdempotencyKey = "KEY" })).Id);
        Assert.Equal(outcomes[0].Run.Id, (await RegisterAsync(nodes[0], registration with { Id = Id("mine") })).Id);
    }

    [Fact]
    public async Task What_is_too_large_or_no_text_is_refused_and_nothing_is_stored()
    {
        var node = await StartNodeAsync(clock);
        var good = Registration("run", "mail") with { Triggered = true };
        var large = new string('x', 1024 * 1024 + 1);
        foreach (var (registration, code) in new (RunRegistration, ErrorCode)[]
        {
            (good with { Payload = large }, ErrorCode.BodyTooLarge),
            (good with { Payload = new string('ä', 1024 * 512 + 1) }, ErrorCode.BodyTooLarge),
            (good with { Metadata = large }, ErrorCode.BodyTooLarge),
            (good with { Payload = "a\0" }, ErrorCode.InvalidRequest),
            (good with { Payload = "\ud800" }, ErrorCode.InvalidRequest),
            (good with { PayloadType = "text/plain" }, ErrorCode.InvalidRequest),
            (good with { Payload = "", PayloadType = "\n" }, ErrorCode.InvalidRequest),
            (good with { TaskId = null }, ErrorCode.InvalidRequest),
            (good with { TaskId = null, Triggered = false, IdempotencyKey = "key" }, ErrorCode.InvalidRequest),
            (good with { IdempotencyKey = "" }, ErrorCode.InvalidRequest),
            (good with { IdempotencyKey = new string('k', 2049) }, ErrorCode.InvalidRequest),
        }) Assert.Equal(code, (await RefusedAsync(node, registration)).Code);
        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));

        await RegisterAsync(node, good with { Payload = large[1..], Metadata = large[1..], IdempotencyKey = new string('k', 2048) });
        await RegisterAsync(node, good with { Id = Id("ä"), TaskId = new string('t', 256), IdempotencyKey = Random(2048) });
        foreach (var (end, code) in new (RunEnd, ErrorCode)[]
        {
            (new(Outcome.Completed) { Output = large }, ErrorCode.BodyTooLarge),
            (new(Outcome.Completed) { Output = "\0" }, ErrorCode.InvalidRequest),
            (new(Outcome.Completed) { OutputType = "text/plain" }, ErrorCode.InvalidRequest),
        }) Assert.Equal(code, (await CompleteRefusedAsync(node, end)).Code);
        Assert.Equal(large.Length - 1, (await CompleteAsync(node, "run", new RunEnd(Outcome.Completed) { Output = large[1..] })).Output!.Length);
        var listed = Assert.IsType<RunListOutcome.Listed>(await node.Registry.ListAsync(Environment, new RunQuery(null, null, null, null, 10), Cancelled));
        Assert.All(listed.Runs, run => Assert.Null(run.Payload));

        static string Random(int length) => new([.. System.Security.Cryptography.RandomNumberGenerator.GetItems<char>("abcdefghijklmnopqrstuvwxyz0123456789", length)]);
    }

    [Fact]
    public async Task The_same_id_again_is_the_same_run_only_with_the_same_payload()
    {
        var node = await StartNodeAsync(clock);
        var registration = Registration("run", "mail") with { Triggered = true, Payload = "1", Metadata = "{}" };
        await RegisterAsync(node, registration);

        Assert.Equal(Id("run"), (await RegisterAsync(node, registration)).Id);
        Assert.Contains("payload, metadata, triggered", (await RefusedAsync(node, registration with { Payload = "2", Metadata = null, Triggered = false })).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_claims_are_refused_by_name()
    {
        var node = await StartNodeAsync(clock);
        foreach (var (tasks, worker, lease, word) in new (string[], string, double, string)[]
        {
            ([], "w", 30, "tasks"), (["a", ""], "w", 30, "tasks[1]"), (["a\n"], "w", 30, "tasks[0]"), ([.. Enumerable.Repeat("a", 101)], "w", 30, "tasks"),
            (["a"], "", 30, "worker"), (["a"], new string('w', 257), 30, "worker"), (["a"], "w", 0.9, "lease"), (["a"], "w", 3601, "lease"),
        })
        {
            var refused = Assert.IsType<ClaimOutcome.Refused>(
                await Claims(node).ClaimAsync(Environment, tasks, worker, TimeSpan.FromSeconds(lease), Cancelled)).Refusal;
            Assert.Equal(ErrorCode.InvalidRequest, refused.Code);
            Assert.Contains(word, refused.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Who_waits_is_woken_by_what_happens_on_another_node()
    {
        var node = await StartNodeAsync();
        var announcements = node.Services.GetRequiredService<IRegistryAnnouncements>();
        var other = await StartNodeAsync(configure: services => services.AddSingleton(announcements));
        var signals = other.Services.GetRequiredService<IRunSignals>();
        using var triggered = signals.WatchTriggered(Environment, ["mail", "post"]);
        using var otherTask = signals.WatchTriggered(Environment, ["print"]);
        using var run = signals.Watch(Environment, Id("run"));
        var longTime = TimeSpan.FromMinutes(1);

        await TriggerAsync(node, "run", "mail");
        Assert.True(await triggered.WaitAsync(longTime, Cancelled));
        Assert.True(await run.WaitAsync(longTime, Cancelled));
        await ClaimAsync(node, "worker", "mail");
        Assert.True(await run.WaitAsync(longTime, Cancelled));
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled);
        Assert.True(await run.WaitAsync(longTime, Cancelled));
        await node.Registry.AdmitAsync(Stream("run", "a"), Cancelled); // Nothing new.
        Assert.False(await run.WaitAsync(TimeSpan.Zero, Cancelled));
        await CompleteAsync(node, "run", new RunEnd(Outcome.Completed));
        Assert.True(await run.WaitAsync(longTime, Cancelled));
        await node.Registry.EraseAsync(Environment, Id("run"), Cancelled);
        Assert.True(await run.WaitAsync(longTime, Cancelled));
        Assert.False(await otherTask.WaitAsync(TimeSpan.Zero, Cancelled));
        Assert.False(await triggered.WaitAsync(TimeSpan.Zero, Cancelled));
    }

    private static IRunClaims Claims(TestNode node) => node.Services.GetRequiredService<IRunClaims>();

    private static Task<Run> TriggerAsync(TestNode node, string run, string task, string? payload = null, string? key = null) =>
        RegisterAsync(node, Registration(run, task) with
        {
            Triggered = true,
            Payload = payload,
            PayloadType = payload is null ? null : "application/json",
            IdempotencyKey = key,
        });

    private static async Task<Run?> ClaimAsync(TestNode node, string worker, params string[] tasks) =>
        await Claims(node).ClaimAsync(Environment, tasks, worker, Lease, Cancelled) switch
        {
            ClaimOutcome.Claimed claimed => claimed.Run,
            ClaimOutcome.Nothing => null,
            var refused => throw new InvalidOperationException(refused.ToString()),
        };

    private static Task<RenewOutcome> RenewAsync(TestNode node, string worker, int attempt) =>
        Claims(node).RenewAsync(Environment, Id("run"), worker, attempt, Lease, Cancelled);

    private static async Task<Refusal> RenewRefusedAsync(TestNode node, string worker, int attempt) =>
        Assert.IsType<RenewOutcome.Refused>(await RenewAsync(node, worker, attempt)).Refusal;

    private static async Task<Run> CompleteAsync(TestNode node, string run, RunEnd end) =>
        Assert.IsType<CompleteOutcome.Completed>(await node.Registry.CompleteAsync(Environment, Id(run), end, Cancelled)).Run;

    private static async Task<Refusal> CompleteRefusedAsync(TestNode node, RunEnd end) =>
        Assert.IsType<CompleteOutcome.Refused>(await node.Registry.CompleteAsync(Environment, Id("run"), end, Cancelled)).Refusal;
}
