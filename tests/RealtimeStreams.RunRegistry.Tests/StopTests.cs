using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Setup;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class StopOnPostgresTests(PostgresDatabases databases) : StopContract(databases);

public sealed class StopOnSqliteTests(SqliteDatabases databases) : StopContract(databases), IClassFixture<SqliteDatabases>;

public abstract class StopContract(TestDatabases databases) : RegistryContract(databases)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task The_first_request_stays_and_is_seen_by_the_first_who_says_so_and_ends_with_the_run()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        var began = clock.GetUtcNow();

        var first = await RequestAsync(node, "run", "enough", "secret-key");
        clock.Advance(TimeSpan.FromSeconds(1));
        var second = await RequestAsync(node, "run", "other words", "token");
        var seen = await SeeAsync(node, "run", "writer");
        clock.Advance(TimeSpan.FromSeconds(1));
        var again = await SeeAsync(node, "run", "another");

        var request = new StopRequest(began, "enough", "secret-key", null, null);
        Assert.Equal((request, request), (first.Stop, second.Stop));
        request = request with { SeenAt = began.AddSeconds(1), SeenBy = "writer" };
        Assert.Equal((request, request), (seen.Stop, again.Stop));
        Assert.Equal((RunStatus.Open, false), (again.Status, again.IsSettled));
        Assert.Equivalent(again, await node.Registry.FindAsync(Environment, Id("run"), Cancelled));

        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled);

        var ended = await RequestAsync(node, "run", "again", null);
        Assert.Equal((request, RunStatus.Completed, true), (ended.Stop, ended.Status, ended.IsSettled));
        Assert.Equal(request, (await SeeAsync(node, "run", "late")).Stop);
    }

    [Fact]
    public async Task A_run_that_waits_for_its_first_worker_is_cancelled_at_once_and_claimed_by_nobody()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "run");

        var stopped = await RequestAsync(node, "run", null, null);

        Assert.Equal((RunStatus.Cancelled, clock.GetUtcNow(), true), (stopped.Status, stopped.CompletedAt, stopped.IsSettled));
        Assert.Equal((clock.GetUtcNow(), null), (stopped.Stop!.RequestedAt, stopped.Stop.SeenAt));
        Assert.Null(await ClaimAsync(node, "w"));
        Assert.Equal(["completed default/run cancelled"], node.Observer.Calls);
        Assert.Equivalent(stopped, await RequestAsync(node, "run", "more", null));
    }

    [Fact]
    public async Task What_follows_from_such_an_end_is_done_by_asking_again_when_it_failed()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "run");
        node.Observer.Failure = new InvalidOperationException("The broker is gone.");
        await Assert.ThrowsAsync<InvalidOperationException>(() => RequestAsync(node, "run", null, null));
        Assert.False((await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.IsSettled);
        node.Observer.Failure = null;

        Assert.True((await RequestAsync(node, "run", null, null)).IsSettled);
    }

    [Fact]
    public async Task Asking_a_run_that_is_just_being_ended_does_not_change_how_it_ends()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("run"));
        await RequestAsync(node, "run", null, null);
        node.Observer.Failure = new InvalidOperationException("The broker is gone.");
        await Assert.ThrowsAsync<InvalidOperationException>(() => node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Completed, null, Cancelled));
        node.Observer.Failure = null;

        var told = await RequestAsync(node, "run", null, null);

        Assert.Equal((RunStatus.Completed, true), (told.Status, told.IsSettled));
        Assert.All(node.Observer.Calls, call => Assert.Equal("completed default/run completed", call));
    }

    [Fact]
    public async Task A_claimed_run_goes_on_and_only_its_worker_says_that_it_has_seen_the_request()
    {
        var node = await StartNodeAsync(clock);
        await TriggerAsync(node, "run");
        await ClaimAsync(node, "w1");

        Assert.Equal(RunStatus.Open, (await RequestAsync(node, "run", "why", null)).Status);

        Assert.Equal(ErrorCode.ClaimLost, (await SeeRefusedAsync(node, "run", "w2", 1)).Code);
        Assert.Equal(ErrorCode.ClaimLost, (await SeeRefusedAsync(node, "run", "w1", 2)).Code);
        Assert.Equal(ErrorCode.InvalidRequest, (await SeeRefusedAsync(node, "run", "w1", null)).Code);
        Assert.Null((await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.Stop!.SeenAt);
        var renewed = Assert.IsType<RenewOutcome.Renewed>(await Claims(node).RenewAsync(Environment, Id("run"), "w1", 1, Lease, Cancelled));
        Assert.Equal("why", renewed.Run.Stop!.Reason);
        Assert.Equal("w1", (await SeeAsync(node, "run", "w1", 1)).Stop!.SeenBy);

        // The worker dies: the next attempt is told at its claim, and what was seen stays seen.
        clock.Advance(Lease + TimeSpan.FromSeconds(1));
        var next = await ClaimAsync(node, "w2");
        Assert.Equal((2, "why", "w1"), (next!.Attempt, next.Stop!.Reason, next.Stop.SeenBy));
        Assert.Equal("w1", (await SeeAsync(node, "run", "w2", 2)).Stop!.SeenBy);
    }

    [Fact]
    public async Task A_run_that_has_ended_is_told_as_it_is_and_one_that_is_not_there_is_refused()
    {
        var node = await StartNodeAsync(clock);
        await RegisterAsync(node, Registration("ended"));
        await node.Registry.CompleteAsync(Environment, Id("ended"), Outcome.Completed, null, Cancelled);
        await RegisterAsync(node, Registration("open"));

        var told = await RequestAsync(node, "ended", "late", "token");

        Assert.Equal((null, RunStatus.Completed), (told.Stop, told.Status));
        Assert.Equal(ErrorCode.RunCompleted, (await SeeRefusedAsync(node, "ended", "w", null)).Code);
        Assert.Equal(ErrorCode.StopNotRequested, (await SeeRefusedAsync(node, "open", "w", null)).Code);
        Assert.Equal(ErrorCode.InvalidRequest, (await SeeRefusedAsync(node, "open", "", null)).Code);
        Assert.Equal(ErrorCode.RunNotFound, (await SeeRefusedAsync(node, "missing", "w", null)).Code);
        Assert.Equal(ErrorCode.RunNotFound, (await RequestRefusedAsync(node, "missing", null)).Code);
        Assert.Equal(ErrorCode.RunNotFound, (await RequestRefusedAsync(node, "open", null, "elsewhere")).Code);
        Assert.Equal(ErrorCode.InvalidRequest, (await RequestRefusedAsync(node, "open", new string('x', 1025))).Code);
        Assert.Null((await node.Registry.FindAsync(Environment, Id("open"), Cancelled))!.Stop);
    }

    [Fact]
    public async Task A_reason_is_kept_as_far_as_a_database_can_and_goes_with_the_run()
    {
        var node = await StartNodeAsync(clock);
        foreach (var run in (string[])["strange", "empty"]) await RegisterAsync(node, Registration(run));

        Assert.Equal("a\uFFFDb\uFFFD\r\nä", (await RequestAsync(node, "strange", "a\0b\uD800\r\nä", null)).Stop!.Reason);
        Assert.Null((await RequestAsync(node, "empty", "", null)).Stop!.Reason);
        await node.Registry.EraseAsync(Environment, Id("strange"), Cancelled);
        Assert.Equal(ErrorCode.RunNotFound, (await RequestRefusedAsync(node, "strange", null)).Code);
    }

    [Fact]
    public async Task Many_who_ask_at_once_on_two_nodes_are_told_one_request_and_a_claim_gets_either_the_run_or_nothing()
    {
        var (first, second) = (await StartNodeAsync(), await StartNodeAsync());
        for (var round = 0; round < 10; round++)
        {
            var run = $"run{round}";
            await TriggerAsync(first, run);
            var claim = Task.Run(() => ClaimAsync(second, "w"));
            var asked = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => RequestAsync(i % 2 == 0 ? first : second, run, $"{i}", null))));
            var claimed = await claim;

            Assert.Single(asked.Select(told => told.Stop! with { SeenAt = null, SeenBy = null }).Distinct());
            var there = (await first.Registry.FindAsync(Environment, Id(run), Cancelled))!;
            Assert.Equal(claimed is null ? (RunStatus.Cancelled, 0) : (RunStatus.Open, 1), (there.Status, there.Attempt));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // Announcements are lost: the lookout finds it by itself.
    public async Task Who_watches_a_run_on_another_node_is_told_the_request_once(bool isAnnounced)
    {
        var announcements = new InProcessAnnouncements();
        Task<TestNode> StartAsync() => StartNodeAsync(configure: services =>
        {
            if (isAnnounced) services.AddSingleton<IRegistryAnnouncements>(announcements);
        });
        var (first, second) = (await StartAsync(), await StartAsync());
        foreach (var run in (string[])["run", "other"]) await RegisterAsync(first, Registration(run));
        using var watch = Stops(second).Watch(Environment, Id("run"));
        using var same = Stops(second).Watch(Environment, Id("run"));
        using var other = Stops(second).Watch(Environment, Id("other"));
        var told = 0;
        using var counted = watch.Requested.Register(() => Interlocked.Increment(ref told));

        await RequestAsync(first, "run", "now", null);

        await Until.TrueAsync(() => "The watch was told nothing.", () => Volatile.Read(ref told) > 0 && same.Requested.IsCancellationRequested);
        Assert.Equal(("now", "now", 1), (watch.Request!.Reason, same.Request!.Reason, told));
        Assert.Equal((false, null), (other.Requested.IsCancellationRequested, other.Request));
    }

    [Fact]
    public async Task A_watcher_that_throws_when_it_is_told_keeps_nobody_else_from_being_told()
    {
        var node = await StartNodeAsync();
        foreach (var run in (string[])["run", "other"]) await RegisterAsync(node, Registration(run));
        using var broken = Stops(node).Watch(Environment, Id("run"));
        using var other = Stops(node).Watch(Environment, Id("other"));
        using var throws = broken.Requested.Register(() => throw new InvalidOperationException("A bug."));

        await RequestAsync(node, "run", null, null);
        await Until.TrueAsync(() => "The broken watch was told nothing.", () => broken.Requested.IsCancellationRequested);
        await RequestAsync(node, "other", null, null);

        await Until.TrueAsync(() => "The other watch was told nothing.", () => other.Requested.IsCancellationRequested);
        Assert.False(node.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Who_waits_for_the_run_is_woken_by_the_request_by_its_being_seen_and_by_the_end_of_the_streams()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run"));
        using var signal = node.Services.GetRequiredService<IRunSignals>().Watch(Environment, Id("run"));
        var longTime = TimeSpan.FromMinutes(1);

        await RequestAsync(node, "run", null, null);
        Assert.True(await signal.WaitAsync(longTime, Cancelled));
        await SeeAsync(node, "run", "w");
        Assert.True(await signal.WaitAsync(longTime, Cancelled));
        await node.Registry.CompleteAsync(Environment, Id("run"), Outcome.Cancelled, null, Cancelled);
        Assert.True(await signal.WaitAsync(longTime, Cancelled));
        Assert.True((await node.Registry.FindAsync(Environment, Id("run"), Cancelled))!.IsSettled);
    }

    private static IRunStops Stops(TestNode node) => node.Services.GetRequiredService<IRunStops>();

    private static IRunClaims Claims(TestNode node) => node.Services.GetRequiredService<IRunClaims>();

    private static Task<Run> TriggerAsync(TestNode node, string run) => RegisterAsync(node, Registration(run, "task") with { Triggered = true });

    private static async Task<Run?> ClaimAsync(TestNode node, string worker) =>
        (await Claims(node).ClaimAsync(Environment, ["task"], worker, Lease, Cancelled) as ClaimOutcome.Claimed)?.Run;

    private static async Task<Run> RequestAsync(TestNode node, string run, string? reason, string? by) =>
        Assert.IsType<StopOutcome.Told>(await Stops(node).RequestAsync(Environment, Id(run), reason, by, "a test", Cancelled)).Run;

    private static async Task<Refusal> RequestRefusedAsync(TestNode node, string run, string? reason, string environment = "default") =>
        Assert.IsType<StopOutcome.Refused>(await Stops(node).RequestAsync(EnvironmentId.Parse(environment), Id(run), reason, null, "a test", Cancelled)).Refusal;

    private static async Task<Run> SeeAsync(TestNode node, string run, string worker, int? attempt = null) =>
        Assert.IsType<StopOutcome.Told>(await Stops(node).AcknowledgeAsync(Environment, Id(run), worker, attempt, Cancelled)).Run;

    private static async Task<Refusal> SeeRefusedAsync(TestNode node, string run, string worker, int? attempt) =>
        Assert.IsType<StopOutcome.Refused>(await Stops(node).AcknowledgeAsync(Environment, Id(run), worker, attempt, Cancelled)).Refusal;
}
