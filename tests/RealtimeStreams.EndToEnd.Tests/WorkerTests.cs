using System.Collections.Concurrent;
using System.Globalization;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Triggered runs and the hosts that run them, against a real server.</summary>
public sealed class WorkerTests(SharedServer shared) : IDisposable
{
    private readonly string task = Api.NewId("task");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private RealtimeStreamsClient Client { get; } = Traffic.ClientOf(shared.Process);

    public void Dispose() => Client.Dispose();

    [Fact]
    public async Task Two_workers_run_each_of_forty_runs_once()
    {
        const int Runs = 40;
        var begun = new ConcurrentBag<(string Worker, string Run)>();
        await using var first = await StartAsync("first");
        var parent = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        List<RunInfo> runs = [];
        for (var i = 0; i < Runs; i++)
            runs.Add(await Client.Runs.TriggerAsync(task, i, new TriggerOptions { ParentRunId = parent.Id }, Cancelled));
        await using var second = await StartAsync("second");

        var ends = await Task.WhenAll(runs.Select(run => EndAsync(run.Id)));

        Assert.Equal(runs.Select(run => run.Id).Order(), begun.Select(run => run.Run).Order());
        Assert.All(ends, end => Assert.Equal((RunStatus.Completed, 1), (end.Status, end.Attempt)));
        Assert.Equal(Enumerable.Range(0, Runs).Select(i => i * i), ends.Select(end => end.Output!.Value.GetInt32()));
        Assert.All(ends, end => Assert.Contains((end.Worker!, end.Id), begun));
        var told = await Traffic.ReadToEndAsync(await CompletedAsync(parent.Id), parent.Id, cancellationToken: Cancelled);
        Assert.Equal(Enumerable.Range(0, Runs).Select(i => i.ToString(CultureInfo.InvariantCulture)).Order(), told.Order());
        Assert.Equal(["0"], await Client.Streams.ReadAsync(Traffic.Stream, runs[0].Id, cancellationToken: Cancelled).ToListAsync(Cancelled));

        Task<WorkerHost> StartAsync(string name) => WorkerHost.StartAsync(shared.Process, name, services => services.AddRealtimeStreamsTask<int, int>(
            task,
            async (run, number, cancellationToken) =>
            {
                begun.Add((name, run.RunId));
                var text = number.ToString(CultureInfo.InvariantCulture);
                await Traffic.Stream.AppendAsync(text, new AppendOptions { Target = StreamTarget.Parent }, cancellationToken);
                Traffic.Stream.Pipe(new[] { text }.ToAsyncEnumerable(), cancellationToken: cancellationToken);
                return number * number;
            }));

        async Task<RealtimeStreamsClient> CompletedAsync(string run)
        {
            await Client.Runs.CompleteAsync(run, cancellationToken: Cancelled);
            return Client;
        }
    }

    [Fact]
    public async Task A_run_of_a_worker_that_is_cut_off_is_another_ones_next_attempt_and_the_first_one_is_refused()
    {
        await using var proxy = new TcpProxy(shared.Process.Port);
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gaveUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cutOff = await WorkerHost.StartAsync(
            shared.Process,
            "cut off",
            services => services.AddRealtimeStreamsTask<int, string>(task, async (run, _, cancellationToken) =>
            {
                Traffic.Stream.Pipe(
                    Traffic.NumberAsync("first", 1000, gate: i => i < 3 ? Task.CompletedTask : gaveUp.Task, cancellationToken: CancellationToken.None),
                    new PipeOptions { ProducerId = "task" },
                    CancellationToken.None);
                await Client.Streams.ReadAsync(Traffic.Stream, run.RunId, cancellationToken: cancellationToken).Take(3).ToListAsync(cancellationToken);
                began.TrySetResult(); // A second time when the lease did not hold until here.
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                }
                finally
                {
                    gaveUp.TrySetResult();
                }
                return "first";
            }),
            lease: TimeSpan.FromSeconds(4), // It has to hold until the task has begun.
            drainTime: TimeSpan.Zero,
            port: proxy.Port);
        var triggered = await Client.Runs.TriggerAsync(task, 0, cancellationToken: Cancelled);
        await began.Task.WaitAsync(Cancelled);

        proxy.Refuse();
        proxy.CutAll();
        await using var other = await WorkerHost.StartAsync(shared.Process, "other", services => services.AddRealtimeStreamsTask<int, string>(
            task,
            async (_, _, cancellationToken) =>
            {
                await Traffic.Stream.Pipe(
                    Traffic.NumberAsync("second", 3, cancellationToken: cancellationToken), new PipeOptions { ProducerId = "task" }, cancellationToken).Completion;
                proxy.Accept(); // The first one can be heard again, and is too late.
                await gaveUp.Task.WaitAsync(cancellationToken);
                return "second";
            }));
        var end = await EndAsync(triggered.Id);

        Assert.Equal((RunStatus.Completed, "second", 2, "other"), (end.Status, end.Output?.GetString(), end.Attempt, end.Worker));
        var refused = await Assert.ThrowsAsync<RealtimeStreamsException>(() => Client.Runs.CompleteAsync(
            triggered.Id, new CompleteRun(Outcome.Failed, Worker: "cut off", Attempt: 1), Cancelled));
        Assert.Equal("claim_lost", refused.Code);
        Assert.Equal(
            ["first:0", "first:1", "first:2", "second:0", "second:1", "second:2"],
            await Traffic.ReadToEndAsync(Client, triggered.Id, cancellationToken: Cancelled)); // The epoch shuts the first one out.
    }

    [Fact]
    public async Task What_a_worker_cannot_finish_when_it_stops_is_at_once_the_next_ones()
    {
        var began = new TaskCompletionSource();
        await using var stopping = await WorkerHost.StartAsync(
            shared.Process,
            "stopping",
            services => services.AddRealtimeStreamsTask<int>(task, async (_, _, cancellationToken) =>
            {
                began.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }),
            lease: TimeSpan.FromHours(1),
            drainTime: TimeSpan.Zero);
        var triggered = await Client.Runs.TriggerAsync(task, 0, cancellationToken: Cancelled);
        await began.Task.WaitAsync(Cancelled);
        await using var next = await WorkerHost.StartAsync(
            shared.Process, "next", services => services.AddRealtimeStreamsTask<int, uint>(task, (run, _, _) => Task.FromResult(run.Attempt)));

        await stopping.StopAsync();
        var end = await EndAsync(triggered.Id);

        Assert.Equal((RunStatus.Completed, 2, "next", 2), (end.Status, end.Attempt, end.Worker, end.Output!.Value.GetInt32()));
    }

    [Fact]
    public async Task A_task_that_throws_fails_its_run_and_one_whose_run_was_cancelled_is_told_to_stop()
    {
        var began = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        await using var worker = await WorkerHost.StartAsync(
            shared.Process,
            "worker",
            services => services.AddRealtimeStreamsTask<string>(task, async (_, payload, cancellationToken) =>
            {
                if (payload == "fail") throw new InvalidOperationException("no luck");
                began.SetResult();
                cancellationToken.Register(stopped.SetResult); // Not disposed: this method may be at its end before the call has been made.
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }),
            lease: TimeSpan.FromSeconds(3));

        var failed = await EndAsync((await Client.Runs.TriggerAsync(task, "fail", cancellationToken: Cancelled)).Id);
        var endless = await Client.Runs.TriggerAsync(task, "endless", cancellationToken: Cancelled);
        await began.Task.WaitAsync(Cancelled);
        Assert.Equal(RunPhase.Executing, (await Client.Runs.GetAsync(endless.Id, Cancelled)).Phase);
        await Client.Runs.CompleteAsync(endless.Id, Outcome.Cancelled, cancellationToken: Cancelled);
        await stopped.Task.WaitAsync(Cancelled);

        Assert.Equal((RunStatus.Failed, "no luck", null), (failed.Status, failed.Error, failed.Output));
        Assert.Equal(RunStatus.Cancelled, (await Client.Runs.GetAsync(endless.Id, Cancelled)).Status);
    }

    [Fact]
    public async Task A_claim_that_waits_at_one_server_hears_of_a_trigger_at_another()
    {
        const int Rounds = 20;
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        using var data = new TempFolder("deployment");
        var options = new ServerProcessOptions { Nats = broker.Url, DataDirectory = data.FullPath };
        await using var here = await ServerProcess.StartAsync(options, Cancelled);
        await using var there = await ServerProcess.StartAsync(options, Cancelled);
        using var clientHere = Traffic.ClientOf(here);
        using var clientThere = Traffic.ClientOf(there);

        var claim = new ClaimOptions { Wait = TimeSpan.FromSeconds(30), Lease = TimeSpan.FromHours(1) };

        // By looking again alone, as it does for what gets lost, a server would need 5 seconds a round: more than a test may wait.
        var rounds = PlayAsync();
        await rounds.WaitAsync(TimeSpan.FromSeconds(60), Cancelled);

        async Task PlayAsync()
        {
            for (var i = 0; i < Rounds; i++)
            {
                var waiting = clientThere.Runs.ClaimAsync([task], claim, Cancelled);
                await clientThere.Runs.ListAsync(new RunQuery { Limit = 1 }, Cancelled); // By then it waits, most of the time.
                Assert.False(waiting.IsCompleted);
                var triggered = await clientHere.Runs.TriggerAsync(task, i, cancellationToken: Cancelled);
                Assert.Equal(triggered.Id, (await waiting)!.Id);
            }
        }
    }

    private Task<RunInfo> EndAsync(string run) => Traffic.WaitForEndAsync(Client, run, TimeSpan.FromMinutes(2));
}
