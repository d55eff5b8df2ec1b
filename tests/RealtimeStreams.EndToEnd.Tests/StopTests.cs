using System.Runtime.CompilerServices;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Runs are stopped from outside while they stream, by real processes that are killed meanwhile.</summary>
public sealed class StopTests(TwoServers shared) : IClassFixture<TwoServers>
{
    private readonly string task = Api.NewId("task");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_stops_a_task_that_streams_and_the_receipt_tells_where_its_streams_ended()
    {
        var deployment = shared;
        using var client = Traffic.ClientOf(deployment.First);
        var written = 0L;
        var cause = RunStopCause.None;
        await using var worker = await WorkerHost.StartAsync(deployment.First, "w", services => services.AddRealtimeStreamsTask<int>(task, async (run, _, cancellationToken) =>
        {
            // The source counts what it has given; all of that is to be stored.
            run.Streams.Pipe("numbers", CountAsync(CancellationToken.None), cancellationToken: CancellationToken.None);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            finally
            {
                cause = run.StopCause;
                await run.Streams.AppendAsync("summary", $"stopped: {run.StopRequest?.Reason}", cancellationToken: CancellationToken.None);
            }
        }));
        var run = (await client.Runs.TriggerAsync(task, 0, cancellationToken: Cancelled)).Id;

        // A page, at the other server, with a token that reads and cancels this run and nothing else.
        using var page = new Api(new HttpClient { BaseAddress = deployment.Second.Address, Timeout = Timeout.InfiniteTimeSpan });
        page.Client.DefaultRequestHeaders.Add("Authorization", "Bearer " + PublicToken.Sign(deployment.Second.SecretKey, [$"read:runs:{run}", $"cancel:runs:{run}"]));
        using var reader = await page.OpenSseAsync(run, "numbers");
        for (var i = 0; i < 50; i++) await reader.NextAsync();

        var asked = await Api.ReadAsync(await page.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/stop", """{"reason":"enough"}"""), NativeJson.Default.StopReceipt);
        var seen = await Api.ReadAsync(await page.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/stop?state=seen&waitInSeconds=30"), NativeJson.Default.StopReceipt);
        var stopped = await Api.ReadAsync(await page.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/stop?state=stopped&waitInSeconds=30"), NativeJson.Default.StopReceipt);

        Assert.Equal((StopState.Requested, "token", "enough"), (asked.State, asked.By, asked.Reason));
        Assert.True(seen.State >= StopState.Seen);
        Assert.Equal((StopState.Stopped, Outcome.Cancelled, "w", asked.RequestedAt), (stopped.State, stopped.Outcome, stopped.SeenBy, stopped.RequestedAt));
        Assert.True(stopped.RequestedAt <= stopped.SeenAt && stopped.SeenAt <= stopped.StoppedAt);
        Assert.Equal(RunStopCause.Requested, cause);

        // The index is the log's end, everywhere, and every chunk is there.
        Assert.Equal([("numbers", written), ("summary", 1)], stopped.Streams!.Select(stream => (stream.Key, stream.NextIndex)));
        var rest = await reader.RestAsync();
        Assert.Single(rest, one => one.Name == "stop-requested");
        Assert.Equal(("end", $$"""{"outcome":"cancelled","nextIndex":{{written}}}"""), (rest[^1].Name, rest[^1].Data));
        Assert.Equal(
            Enumerable.Range(0, (int)written), await client.Streams.ReadAsync<int>(run, "numbers", cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal(["stopped: enough"], await client.Streams.ReadAsync<string>(run, "summary", cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal("run_completed", (await Assert.ThrowsAsync<RealtimeStreamsException>(
            () => client.Streams.AppendAsync("numbers", 1, new AppendOptions { Target = run }, Cancelled))).Code);

        async IAsyncEnumerable<int> CountAsync([EnumeratorCancellation] CancellationToken stopping = default)
        {
            for (var i = 0; !stopping.IsCancellationRequested; i++)
            {
                written = i + 1;
                yield return i;
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    [Fact]
    public async Task A_request_outlives_the_server_that_took_it_and_reaches_a_worker_and_readers_elsewhere()
    {
        await using var deployment = new TwoServers(); // Of its own: one is killed.
        await deployment.InitializeAsync();
        using var elsewhere = Traffic.ClientOf(deployment.Second);
        var began = new TaskCompletionSource();
        await using var worker = await WorkerHost.StartAsync(deployment.Second, "w", services => services.AddRealtimeStreamsTask<int>(task, async (run, _, cancellationToken) =>
        {
            await run.Streams.AppendAsync("s", 1, cancellationToken: cancellationToken);
            began.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }));
        var run = (await elsewhere.Runs.TriggerAsync(task, 0, cancellationToken: Cancelled)).Id;
        await began.Task.WaitAsync(Cancelled);
        var noticed = new TaskCompletionSource<StopNotice>();
        var read = elsewhere.Streams.ReadAsync<int>(run, "s", new ReadOptions { OnStopRequested = noticed.SetResult }, Cancelled);
        var reading = read.ToListAsync(Cancelled).AsTask();

        using (var api = new Api(deployment.First.CreateClient()))
        {
            var asked = await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/stop", """{"reason":"x"}"""), NativeJson.Default.StopReceipt);
            deployment.First.Kill();
            var stopped = await elsewhere.Runs.WaitForStopAsync(run, cancellationToken: Cancelled);

            Assert.Equal((asked.RequestedAt, "w", Outcome.Cancelled), (stopped.RequestedAt, stopped.SeenBy, stopped.Outcome));
            Assert.Equal(new StopNotice(asked.RequestedAt!.Value, "x"), await noticed.Task.WaitAsync(Cancelled));
        }
        Assert.Equal([1], await reading);
        Assert.Equal(("x", ReadEnding.Closed, Outcome.Cancelled), (read.StopRequested!.Reason, read.Ending, read.Outcome!.Value));
        Assert.Equal([new StoppedStream("s", 1)], (await elsewhere.Runs.GetStopAsync(run, Cancelled))!.Streams!);
    }

    [Fact]
    public async Task When_a_worker_dies_after_it_saw_the_request_the_next_attempt_is_told_with_its_claim()
    {
        var deployment = shared;
        using var client = Traffic.ClientOf(deployment.First);
        var run = (await client.Runs.TriggerAsync(task, 0, cancellationToken: Cancelled)).Id;
        var lost = await client.Runs.ClaimAsync([task], new ClaimOptions { Worker = "dies" }, Cancelled);
        await client.Runs.StopAsync(run, "enough", Cancelled);
        await using (var signal = client.Runs.WatchStop(lost!))
        {
            await Until.TrueAsync(() => "The worker was not told.", () => signal.Token.IsCancellationRequested);
            await client.Runs.WaitForStopAsync(run, StopState.Seen, Cancelled);
        }

        await client.Runs.RenewAsync(lost!, TimeSpan.FromSeconds(1), Cancelled); // Only now: until here it has to hold, however busy the machine is.

        // It says no more; the lease runs out.
        var told = new TaskCompletionSource<(bool, RunStopCause, string?, uint)>();
        await using var worker = await WorkerHost.StartAsync(deployment.Second, "next", services => services.AddRealtimeStreamsTask<int>(task, (context, _, cancellationToken) =>
        {
            told.SetResult((cancellationToken.IsCancellationRequested, context.StopCause, context.StopRequest?.Reason, context.Attempt));
            cancellationToken.ThrowIfCancellationRequested();
            return Task.CompletedTask;
        }));

        Assert.Equal((true, RunStopCause.Requested, "enough", 2u), await told.Task.WaitAsync(Cancelled));
        var stopped = await client.Runs.WaitForStopAsync(run, cancellationToken: Cancelled);
        Assert.Equal(("dies", Outcome.Cancelled), (stopped.SeenBy, stopped.Outcome));
    }

    [Fact]
    public async Task A_run_of_a_delegate_stops_when_it_wants_to_be_asked_and_a_plain_writer_has_a_token()
    {
        var deployment = shared;
        using var client = Traffic.ClientOf(deployment.First);
        using var elsewhere = Traffic.ClientOf(deployment.Second);
        var (delegated, plain) = (Api.NewId(), Api.NewId());
        var began = new TaskCompletionSource();
        var running = client.Runs.RunAsync(
            new RegisterRun(delegated),
            async (run, cancellationToken) =>
            {
                began.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            },
            new RunOptions { StopOnRequest = true },
            Cancelled);
        await began.Task.WaitAsync(Cancelled);

        await elsewhere.Runs.StopAsync(delegated, cancellationToken: Cancelled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Cancelled));
        var stopped = await elsewhere.Runs.WaitForStopAsync(delegated, cancellationToken: Cancelled);
        Assert.Equal((Outcome.Cancelled, true), (stopped.Outcome!.Value, stopped.SeenBy is not null));

        await client.Runs.RegisterAsync(new RegisterRun(plain), Cancelled);
        Assert.Null(await client.Runs.GetStopAsync(plain, Cancelled));
        await using var signal = client.Runs.WatchStop(plain, "writer");
        Assert.False(signal.Token.IsCancellationRequested);
        await elsewhere.Runs.StopAsync(plain, "please", Cancelled);
        await Until.TrueAsync(() => "The writer was not told.", () => signal.Token.IsCancellationRequested);
        Assert.Equal("please", signal.Request!.Reason);
        Assert.Equal("writer", (await elsewhere.Runs.WaitForStopAsync(plain, StopState.Seen, Cancelled)).SeenBy);
    }

    [Fact]
    public async Task A_watch_goes_on_while_the_server_is_away_and_what_was_requested_before_a_restart_stays()
    {
        await using var deployment = new TwoServers(); // Of its own: one is killed.
        await deployment.InitializeAsync();
        using var client = Traffic.ClientOf(deployment.First);
        var (asked, later) = ((await client.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id, (await client.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id);
        var receipt = await client.Runs.StopAsync(asked, "before", Cancelled);
        await using var signal = client.Runs.WatchStop(later, "w");

        deployment.First.Kill();
        await deployment.First.StartAgainAsync(Cancelled);

        Assert.Equal(receipt, await client.Runs.StopAsync(asked, "after", Cancelled));
        await client.Runs.StopAsync(later, cancellationToken: Cancelled);
        await Until.TrueAsync(() => "The watch did not go on.", () => signal.Token.IsCancellationRequested);
    }
}

/// <summary>Two servers on one broker and one database.</summary>
public sealed class TwoServers : IAsyncLifetime
{
    private readonly TempFolder folder = new("deployment");
    private TestBroker? broker;
    private TestPostgres? postgres;
    private ServerProcess? first;
    private ServerProcess? second;

    public ServerProcess First => first!;

    public ServerProcess Second => second!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        postgres = TestPostgres.IsPresent ? await TestPostgres.StartAsync(CancellationToken.None) : null;
        var options = new ServerProcessOptions
        {
            Nats = broker.Url,
            Registry = postgres is null ? null : await postgres.CreateDatabaseAsync(CancellationToken.None),
            DataDirectory = folder.FullPath,
        };
        first = await ServerProcess.StartAsync(options);
        second = await ServerProcess.StartAsync(options);
    }

    public async ValueTask DisposeAsync()
    {
        if (first is not null) await first.DisposeAsync();
        if (second is not null) await second.DisposeAsync();
        folder.Dispose();
        if (postgres is not null) await postgres.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
