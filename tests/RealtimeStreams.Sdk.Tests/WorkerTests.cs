using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

public sealed class WorkerTests : IAsyncLifetime
{
    private static readonly RealtimeStream<string> Log = RealtimeStream.Define<string>("log");
    private readonly ScriptedQueue queue = new();
    private readonly WatchedClock time = new();
    private ScriptedServer server = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await ScriptedServer.StartAsync();
        server.Others = queue.AnswerAsync;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_claimed_run_is_the_one_that_is_going_on_and_ends_with_what_its_task_returns()
    {
        var epochs = new ConcurrentQueue<string>();
        server.AppendFaults.Enqueue((context, store) =>
        {
            epochs.Enqueue(context.Request.Headers[NativeHeaders.ProducerEpoch].ToString());
            return store();
        });
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<Progress, int>("count", async (run, payload, token) =>
        {
            Assert.Same(run, RunContext.Current);
            Assert.Equal(("run_a", "count", 3u), (run.RunId, run.TaskId, run.Attempt));
            await Task.Yield();
            Log.Pipe(WordsAsync(payload.Step), cancellationToken: token); // Waited for.
            return payload.Percent + 1;
        }));

        queue.Add(ScriptedQueue.NewRun("run_a", "count", """{"step":"one","percent":41}""", attempt: 3));
        await CompletedAsync(1);

        var completion = queue.CompletionOf("run_a");
        Assert.Equal(("completed", 42, 3), ((string?)completion["outcome"], (int)completion["output"]!, (int)completion["attempt"]!));
        var claim = queue.Claims.First();
        Assert.Equal(["count"], claim.Tasks);
        Assert.Equal((30, claim.Worker), (claim.LeaseInSeconds!.Value, (string?)completion["worker"]));
        Assert.Equal(["\"one\""], server.Chunks);
        Assert.Equal(["3"], epochs);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task One_service_serves_all_tasks_by_delegates_and_by_classes_in_scopes_of_their_own()
    {
        using var host = await StartAsync(services =>
        {
            services.AddScoped<Counter>();
            services.AddRealtimeStreamsTask<string>("silent", (_, _, _) => Task.CompletedTask);
            services.AddRealtimeStreamsTask<string, string, ShoutTask>("shout");
            services.AddRealtimeStreamsTask<string, NothingTask>("nothing");
        });
        Assert.Single(host.Services.GetServices<IHostedService>(), service => service.GetType().Name == "TaskWorker");

        queue.Add(ScriptedQueue.NewRun("a", "silent", "\"x\""));
        queue.Add(ScriptedQueue.NewRun("b", "shout", "\"hey\""));
        queue.Add(ScriptedQueue.NewRun("c", "shout", """{"json":"wrapped","meta":{}}""", payloadType: "application/super+json"));
        queue.Add(ScriptedQueue.NewRun("d", "nothing", null));
        await CompletedAsync(4);

        Assert.Equal(["silent", "shout", "nothing"], queue.Claims.First().Tasks);
        Assert.Null(queue.CompletionOf("a")["output"]);
        Assert.Equal("HEY 1", (string?)queue.CompletionOf("b")["output"]);
        Assert.Equal("WRAPPED 1", (string?)queue.CompletionOf("c")["output"]);
        Assert.Equal("completed", (string?)queue.CompletionOf("d")["outcome"]);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task What_a_task_throws_is_how_its_run_ends()
    {
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<int>("t", (_, payload, _) => throw (payload switch
        {
            0 => new InvalidOperationException("no luck"),
            1 => new RunCancelledException("asked to stop"),
            _ => new TaskCanceledException("too slow"), // Nobody asked for it: a time-out.
        })));

        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        queue.Add(ScriptedQueue.NewRun("b", "t", "1"));
        queue.Add(ScriptedQueue.NewRun("c", "t", "2"));
        queue.Add(ScriptedQueue.NewRun("d", "t", "\"secret text\""));
        await CompletedAsync(4);

        Assert.Equal(("failed", "no luck"), EndOf("a"));
        Assert.Equal(("cancelled", "asked to stop"), EndOf("b"));
        Assert.Equal(("failed", "too slow"), EndOf("c"));
        Assert.Equal(("failed", "The payload cannot be read as Int32."), EndOf("d"));
        await host.StopAsync(Cancelled);

        (string?, string?) EndOf(string run) => ((string?)queue.CompletionOf(run)["outcome"], (string?)queue.CompletionOf(run)["error"]);
    }

    [Fact]
    public async Task A_payload_that_was_cut_within_a_character_fails_a_task_that_wants_text_and_passes_through_one_that_takes_any_json()
    {
        using var host = await StartAsync(services =>
        {
            services.AddRealtimeStreamsTask<Progress, string>("typed", (_, _, _) => Task.FromResult("never"));
            services.AddRealtimeStreamsTask<JsonElement, JsonElement>("any", (_, payload, _) => Task.FromResult(payload));
        });

        queue.Add(ScriptedQueue.NewRun("a", "typed", """{"step":"\ud83d","percent":1}"""));
        queue.Add(ScriptedQueue.NewRun("b", "typed", """{"\ud83d":1}"""));
        queue.Add(ScriptedQueue.NewRun("c", "typed", """{"json":{"step":"\ud83d"},"\ud83d":1}""", payloadType: "application/super+json"));
        queue.Add(ScriptedQueue.NewRun("d", "any", """{"\ud83d":["\udc00"]}"""));
        await CompletedAsync(4);

        Assert.Equal(("failed", "The payload cannot be read as Progress at $.step."), EndOf("a"));
        Assert.Equal(("failed", "The payload cannot be read as Progress."), EndOf("b"));
        Assert.Equal(("failed", "The payload cannot be read as Progress at $.step."), EndOf("c"));
        Assert.Contains("\"output\":{\"\\ud83d\":[\"\\udc00\"]}", queue.Completions.Single(completion => completion.Run == "d").Body, StringComparison.Ordinal);
        await host.StopAsync(Cancelled);

        (string?, string?) EndOf(string run) => ((string?)queue.CompletionOf(run)["outcome"], (string?)queue.CompletionOf(run)["error"]);
    }

    [Fact]
    public async Task An_output_that_the_server_does_not_take_fails_the_run()
    {
        queue.CompletionFaults.Enqueue(ErrorCode.BodyTooLarge);
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<int, string>("t", (_, _, _) => Task.FromResult("very long")));

        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        await CompletedAsync(1);

        Assert.Equal("failed", (string?)queue.CompletionOf("a")["outcome"]);
        Assert.StartsWith("The output was refused", (string?)queue.CompletionOf("a")["error"], StringComparison.Ordinal);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task No_more_runs_go_on_than_allowed()
    {
        var gate = new TaskCompletionSource();
        var going = 0;
        using var host = await StartAsync(
            services => services.AddRealtimeStreamsTask<int>("t", async (_, _, _) =>
            {
                Interlocked.Increment(ref going);
                await gate.Task;
                Interlocked.Decrement(ref going);
            }),
            options => options.MaxConcurrentRuns = 2);

        for (var i = 0; i < 5; i++) queue.Add(ScriptedQueue.NewRun($"r{i}", "t", "0"));
        await UntilAsync(() => Volatile.Read(ref going) == 2, "two runs");

        Assert.Equal(2, queue.Claims.Count); // The third is not even asked for.
        gate.SetResult();
        await CompletedAsync(5);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_claim_is_renewed_at_a_third_of_its_lease_for_as_long_as_the_run_goes_on()
    {
        var gate = new TaskCompletionSource();
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<int>("t", (_, _, _) => gate.Task));
        queue.Add(ScriptedQueue.NewRun("a", "t", "0", attempt: 2));
        await UntilAsync(() => queue.Claims.Count == 2, "the next claim");

        for (var renewals = 1; renewals <= 4; renewals++) // Longer than the lease in all.
        {
            Assert.Equal(renewals - 1, queue.Renewals.Count);
            // Each renewal has a wait and a limit of a third of the lease. Its answer is in when the next wait begins, and not when the server knows of it.
            var waits = (2 * renewals) - 1;
            await UntilAsync(() => time.TimersOf(TimeSpan.FromSeconds(10)) == waits, "the wait for a renewal");
            time.Advance(TimeSpan.FromSeconds(10));
            await UntilAsync(() => queue.Renewals.Count == renewals, "a renewal");
        }
        gate.SetResult();
        await CompletedAsync(1);

        Assert.All(queue.Renewals, renewal => Assert.Equal(("a", 2, 30), (renewal.Run, renewal.Body.Attempt!.Value, renewal.Body.LeaseInSeconds!.Value)));
        Assert.Equal("completed", (string?)queue.CompletionOf("a")["outcome"]);
        await host.StopAsync(Cancelled);
    }

    [Theory]
    [InlineData("claim_lost")]
    [InlineData("run_completed")]
    [InlineData("registry_unavailable")]
    public async Task A_run_whose_claim_is_lost_is_told_to_stop_and_not_completed(string code)
    {
        queue.RenewFault = new[] { ErrorCode.ClaimLost, ErrorCode.RunCompleted, ErrorCode.RegistryUnavailable }.Single(fault => fault.Code == code);
        var stopped = new TaskCompletionSource<(RunStopCause, bool)>();
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<int>("t", async (run, payload, token) =>
        {
            if (payload == 1) return;
            token.Register(() => stopped.SetResult((run.StopCause, run.StopRequested.IsCancellationRequested))); // Not disposed: the task may be at its end before the call is made.
            Assert.Equal(token, run.Stopping);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        }));

        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        await UntilAsync(() => queue.Claims.Count == 2, "the next claim");
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => stopped.Task.IsCompleted, "the stop"); // When the server is away: when the lease is over.
        queue.Add(ScriptedQueue.NewRun("b", "t", "1"));
        await CompletedAsync(1);

        Assert.Equal("b", queue.Completions.Single().Run);
        Assert.Equal((RunStopCause.ClaimLost, false), await stopped.Task);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_renewal_whose_connection_has_died_without_a_word_is_tried_again_while_the_claim_holds()
    {
        var unanswered = 0;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = await StartAsync(services =>
        {
            services.AddRealtimeStreamsTask<int>("t", async (_, _, token) => await gate.Task.WaitAsync(token));
            services.AddHttpClient(RealtimeStreamsServiceCollectionExtensions.HttpClientName).AddHttpMessageHandler(() => new SilentHandler(
                request => request.RequestUri!.AbsolutePath.EndsWith("/renew", StringComparison.Ordinal) && Interlocked.Increment(ref unanswered) == 1));
        });
        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        await UntilAsync(() => queue.Claims.Count == 2, "the next claim");

        await AdvanceUntilAsync(TimeSpan.FromSeconds(10), () => Volatile.Read(ref unanswered) == 1, "the first renewal", looks: 1000);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => !queue.Renewals.IsEmpty, "the second", looks: 40);
        gate.SetResult();
        await CompletedAsync(1);

        Assert.Equal("completed", (string?)queue.CompletionOf("a")["outcome"]);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_claim_whose_renewal_fails_in_an_unknown_way_is_lost()
    {
        var stopped = new TaskCompletionSource<RunStopCause>();
        using var host = await StartAsync(services =>
        {
            services.AddRealtimeStreamsTask<int>("t", async (run, _, token) =>
            {
                token.Register(() => stopped.SetResult(run.StopCause)); // Not disposed: the task may be at its end before the call is made.
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            });
            services.AddHttpClient(RealtimeStreamsServiceCollectionExtensions.HttpClientName).AddHttpMessageHandler(() => new FailingHandler(
                request => request.RequestUri!.AbsolutePath.EndsWith("/renew", StringComparison.Ordinal) ? new InvalidTimeZoneException("A handler's own.") : null));
        });

        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        await UntilAsync(() => queue.Claims.Count == 2, "the next claim");
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => stopped.Task.IsCompleted, "the stop");

        Assert.Equal(RunStopCause.ClaimLost, await stopped.Task);
        await host.StopAsync(Cancelled);
        Assert.Empty(queue.Completions);
    }

    [Theory]
    [InlineData("/claim", 3010)]
    [InlineData("/complete", 3015)]
    [InlineData("/stop", 3022)]
    public async Task A_request_that_fails_in_an_unknown_way_is_logged_and_ends_neither_the_worker_nor_its_next_run(string path, int logged)
    {
        var failed = 0;
        var mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // Nobody watches for a stop once the run is at its end.
        if (path != "/stop") mayEnd.SetResult();
        using var host = await StartAsync(services =>
        {
            services.AddRealtimeStreamsTask<int>("t", (_, _, _) => mayEnd.Task);
            services.AddHttpClient(RealtimeStreamsServiceCollectionExtensions.HttpClientName).AddHttpMessageHandler(() => new FailingHandler(
                request => request.RequestUri!.AbsolutePath.EndsWith(path, StringComparison.Ordinal) && Interlocked.Increment(ref failed) == 1
                    ? new InvalidTimeZoneException("A handler's own.") : null));
        });
        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        await AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => Volatile.Read(ref failed) > 0, "the failure");
        await UntilAsync(() => host.Services.GetFakeLogCollector().GetSnapshot().Any(line => line.Id.Id == logged), $"the log line {logged}");
        mayEnd.TrySetResult();
        queue.Add(ScriptedQueue.NewRun("b", "t", "0"));

        await AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => queue.Completions.Any(completion => completion.Run == "b"), "the next run's end");

        Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_task_whose_stopping_calls_what_throws_ends_as_any_other()
    {
        var (began, told) = (0, 0);
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<string>("t", async (run, payload, token) =>
        {
            token.Register(() => Interlocked.Increment(ref told));
            token.Register(() => throw new InvalidOperationException("a callback's"));
            if (payload == "fail") throw new InvalidOperationException("no luck");
            Interlocked.Increment(ref began);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        }));
        queue.Add(ScriptedQueue.NewRun("a", "t", "\"fail\""));
        await CompletedAsync(1);
        Assert.Equal(("failed", "no luck"), ((string?)queue.CompletionOf("a")["outcome"], (string?)queue.CompletionOf("a")["error"]));

        for (var i = 0; i < 2; i++) queue.Add(ScriptedQueue.NewRun($"r{i}", "t", "\"endless\""));
        await UntilAsync(() => Volatile.Read(ref began) == 2, "both runs");
        var before = Volatile.Read(ref told);
        var stopping = host.StopAsync(Cancelled);
        // No further: what they do then has a few seconds.
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => Volatile.Read(ref told) == before + 2, "the end of the time to drain");
        await stopping;

        Assert.Equal(["r0", "r1"], queue.Renewals.Where(renewal => renewal.Body.LeaseInSeconds == 0).Select(renewal => renewal.Run).Order()); // Given back.
    }

    [Fact]
    public async Task While_the_server_is_away_claims_are_tried_again_with_longer_waits()
    {
        var began = time.GetTimestamp();
        foreach (var fault in new[] { ErrorCode.RegistryUnavailable, ErrorCode.Unauthorized, ErrorCode.RegistryUnavailable }) queue.ClaimFaults.Enqueue(fault);
        using var host = await StartAsync(
            services => services.AddRealtimeStreamsTask<int>("t", (_, _, _) => Task.CompletedTask), client: options => options.GiveUpAfter = TimeSpan.Zero);

        queue.Add(ScriptedQueue.NewRun("a", "t", "0"));
        await UntilAsync(() => queue.Claims.Count == 1, "the first claim");
        await AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => queue.Claims.Count >= 4, "the fourth claim");
        await CompletedAsync(1);

        // 1 + 2 + 4 seconds, of which jitter takes up to half; the driver may be some steps ahead.
        Assert.InRange(time.GetElapsedTime(began), TimeSpan.FromSeconds(3.5), TimeSpan.FromDays(1));
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_host_that_stops_claims_no_more_finishes_what_it_can_and_gives_back_the_rest()
    {
        var started = 0;
        var cause = new TaskCompletionSource<RunStopCause>();
        var gate = new TaskCompletionSource();
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<string>("t", async (run, payload, token) =>
        {
            Interlocked.Increment(ref started);
            if (payload != "short") token.Register(() => cause.SetResult(run.StopCause));
            if (payload == "short") await gate.Task;
            else await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        }));
        queue.Add(ScriptedQueue.NewRun("a", "t", "\"short\""));
        queue.Add(ScriptedQueue.NewRun("b", "t", "\"endless\""));
        await UntilAsync(() => Volatile.Read(ref started) == 2 && queue.Claims.Count == 3, "both runs");

        var stopping = host.StopAsync(Cancelled);
        gate.SetResult();
        await CompletedAsync(1);
        Assert.False(stopping.IsCompleted);
        Assert.Empty(queue.Renewals);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => cause.Task.IsCompleted, "the end of the time to drain"); // No further: what it does then has a few seconds.
        await stopping;

        Assert.Equal("completed", (string?)queue.CompletionOf("a")["outcome"]);
        Assert.Single(queue.Completions);
        Assert.Equal("b", queue.Renewals.Single(renewal => renewal.Body.LeaseInSeconds == 0).Run); // One that was on its way may come later; the server refuses it.
        Assert.Equal(3, queue.Claims.Count);
        Assert.Equal(RunStopCause.HostStopping, await cause.Task.WaitAsync(Cancelled));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // A server that does not let it wait: it learns it from its next renewal.
    public async Task A_task_that_is_asked_to_stop_is_told_says_so_and_ends_its_run_as_cancelled(bool holdsStops)
    {
        queue.HoldsStops = holdsStops;
        var told = new TaskCompletionSource<(RunStopCause, StopNotice?)>();
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<int>("t", async (run, _, token) =>
        {
            run.StopRequested.Register(() => told.SetResult((run.StopCause, run.StopRequest)));
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        }));
        queue.Add(ScriptedQueue.NewRun("a", "t", "0", attempt: 3));
        await UntilAsync(() => queue.Claims.Count == 2, "the next claim");

        queue.Stop = new StopNotice(DateTimeOffset.UnixEpoch, "enough");
        // To the next renewal, and seldom further: at the end of the lease the claim would be lost, and that is another reason to stop.
        if (!holdsStops) await AdvanceUntilAsync(TimeSpan.FromSeconds(10), () => told.Task.IsCompleted, "the stop", looks: 1000);
        await CompletedAsync(1);

        Assert.Equal((RunStopCause.Requested, queue.Stop), await told.Task);
        var end = queue.CompletionOf("a");
        Assert.Equal(("cancelled", null, 3), ((string?)end["outcome"], (string?)end["error"], (int)end["attempt"]!));
        Assert.Equal(("a", 3, (string?)end["worker"]), (queue.Seen.Single().Run, queue.Seen.Single().Body.Attempt!.Value, queue.Seen.Single().Body.Worker));
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_task_that_is_done_when_it_is_asked_completes_and_one_that_fails_fails()
    {
        queue.HoldsStops = true;
        queue.Stop = new StopNotice(DateTimeOffset.UnixEpoch);
        using var host = await StartAsync(services => services.AddRealtimeStreamsTask<int, string>("t", (run, payload, token) =>
        {
            Assert.True(token.IsCancellationRequested && run.StopRequested.IsCancellationRequested); // From the claim on.
            return payload switch
            {
                0 => Task.FromResult("cleaned up"),
                1 => throw new InvalidOperationException("no luck"),
                _ => throw new RunCancelledException("as you like"),
            };
        }));

        for (var i = 0; i < 3; i++) queue.Add(ScriptedQueue.NewRun($"r{i}", "t", $"{i}"));
        await CompletedAsync(3);

        Assert.Equal(("completed", "cleaned up"), ((string?)queue.CompletionOf("r0")["outcome"], (string?)queue.CompletionOf("r0")["output"]));
        Assert.Equal(("failed", "no luck"), ((string?)queue.CompletionOf("r1")["outcome"], (string?)queue.CompletionOf("r1")["error"]));
        Assert.Equal(("cancelled", "as you like"), ((string?)queue.CompletionOf("r2")["outcome"], (string?)queue.CompletionOf("r2")["error"]));
        Assert.Equal(["r0", "r1", "r2"], queue.Seen.Select(seen => seen.Run).Order());
        await host.StopAsync(Cancelled);
    }

    [Fact]
    public async Task Wrong_options_and_a_task_that_is_added_twice_stop_the_start()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(
            services => services.AddRealtimeStreamsTask<int>("t", (_, _, _) => Task.CompletedTask),
            options =>
            {
                options.MaxConcurrentRuns = 0;
                options.Lease = TimeSpan.FromMilliseconds(10);
            }));
        Assert.Contains("RealtimeStreams:Worker:MaxConcurrentRuns", fault.Message, StringComparison.Ordinal);
        Assert.Contains("RealtimeStreams:Worker:Lease", fault.Message, StringComparison.Ordinal);

        var twice = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(services => services
            .AddRealtimeStreamsTask<int>("t", (_, _, _) => Task.CompletedTask)
            .AddRealtimeStreamsTask<int>("t", (_, _, _) => Task.CompletedTask)));
        Assert.Equal("The task 't' is added twice.", twice.Message);
    }

    private async Task<IHost> StartAsync(
        Action<IServiceCollection> addTasks,
        Action<RealtimeStreamsWorkerOptions>? configure = null,
        Action<RealtimeStreamsClientOptions>? client = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddFakeLogging();
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddRealtimeStreams(options =>
        {
            var known = server.NewOptions();
            (options.BaseAddress, options.SecretKey) = (known.BaseAddress, known.SecretKey);
            options.SerializerOptions = new(TestJson.Default.Options);
            client?.Invoke(options);
        });
        addTasks(builder.Services);
        if (configure is not null) builder.Services.Configure(configure);
        var host = builder.Build();
        await host.StartAsync(Cancelled);
        return host;
    }

    private Task CompletedAsync(int count) => UntilAsync(() => queue.Completions.Count == count, $"{count} completions");

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        while (!condition())
        {
            Assert.False(limit.IsCancellationRequested, $"After a minute there still is not: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancelled);
        }
    }

    /// <summary>The one driver of the clock: a step, then a look.</summary>
    private Task AdvanceUntilAsync(TimeSpan step, Func<bool> condition, string what, int looks = 4)
    {
        var steps = 0;
        return UntilAsync(
            () =>
            {
                if (condition()) return true;
                if (steps++ % looks == 0) time.Advance(step); // The others give what it woke some time.
                return false;
            },
            what);
    }

    private static async IAsyncEnumerable<string> WordsAsync(params string[] words)
    {
        foreach (var word in words)
        {
            await Task.Yield();
            yield return word;
        }
    }

    private sealed class Counter
    {
        public int Next { get; private set; }

        public int Count() => ++Next;
    }

    private sealed class ShoutTask(Counter counter) : IRealtimeStreamsTask<string, string>
    {
        public Task<string> RunAsync(RunContext run, string payload, CancellationToken cancellationToken) =>
            Task.FromResult($"{payload.ToUpperInvariant()} {counter.Count()}");
    }

    private sealed class NothingTask : IRealtimeStreamsTask<string>
    {
        public Task RunAsync(RunContext run, string payload, CancellationToken cancellationToken)
        {
            Assert.Null(payload);
            return Task.CompletedTask;
        }
    }
}
