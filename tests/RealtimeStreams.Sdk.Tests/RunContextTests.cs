using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

public sealed class RunContextTests
{
    private static readonly RealtimeStream<string> Log = RealtimeStream.Define<string>("log");
    private readonly List<string> completions = [];
    private readonly List<RegisterRun> registrations = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_run_flows_with_the_code_and_ends_with_its_delegate()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();
        Assert.Null(RunContext.Current);

        await client.Runs.RunAsync(
            new RegisterRun("run_a"),
            async (run, _) =>
            {
                Assert.Same(run, RunContext.Current);
                await Task.Yield();
                Assert.Same(run, RunContext.Current);
                Assert.Equal("run_a", await Task.Run(() => RunContext.Current?.RunId, Cancelled));
                await Log.AppendAsync("hello", cancellationToken: Cancelled);
            },
            cancellationToken: Cancelled);

        Assert.Null(RunContext.Current);
        Assert.Equal(["""run_a {"outcome":"completed"}"""], completions);
        Assert.Contains("POST /api/v1/runs/run_a/streams/log", server.Requests);
    }

    [Fact]
    public async Task Runs_side_by_side_do_not_see_each_other_and_a_run_inside_becomes_a_child()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();
        var both = new Barrier(2);

        await Task.WhenAll(Enumerable.Range(0, 2).Select(number => Task.Run(
            () => client.Runs.RunAsync(
                new RegisterRun($"run_{number}"),
                async (outer, _) =>
                {
                    both.SignalAndWait(Cancelled);
                    await client.Runs.RunAsync(
                        new RegisterRun($"child_{number}"),
                        async (inner, _) =>
                        {
                            Assert.Equal((outer.RunId, outer.RunId), (inner.ParentRunId, inner.RootRunId));
                            await Log.AppendAsync("up", new AppendOptions { Target = StreamTarget.Parent }, Cancelled);
                        },
                        cancellationToken: Cancelled);
                    Assert.Same(outer, RunContext.Current);
                },
                cancellationToken: Cancelled),
            Cancelled)));

        Assert.Equal(["child_0<run_0", "child_1<run_1", "run_0<", "run_1<"], registrations.Select(run => $"{run.Id}<{run.ParentRunId}").Order());
        Assert.Contains("POST /api/v1/runs/run_0/streams/log", server.Requests);
        Assert.Contains("POST /api/v1/runs/run_1/streams/log", server.Requests);
    }

    [Fact]
    public async Task A_run_waits_for_its_pipes_before_it_completes()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();
        var go = new TaskCompletionSource();

        var running = client.Runs.RunAsync(
            new RegisterRun("run_a"),
            (_, _) =>
            {
                Log.Pipe(LaterAsync(go.Task), cancellationToken: Cancelled);
                return Task.CompletedTask;
            },
            cancellationToken: Cancelled);
        Assert.Empty(completions);
        go.SetResult();
        await running;

        Assert.Equal(["\"later\""], server.Chunks);
        Assert.Single(completions);
    }

    [Fact]
    public async Task An_exception_fails_the_run_stops_its_pipes_and_is_thrown_on()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => client.Runs.RunAsync(
            new RegisterRun("run_a"),
            async (_, _) =>
            {
                var pipe = Log.Pipe(UntilStoppedAsync(CancellationToken.None), cancellationToken: Cancelled);
                await pipe.Stream.FirstAsync(Cancelled);
                throw new InvalidOperationException("no more");
            },
            cancellationToken: Cancelled));

        Assert.Equal("no more", thrown.Message);
        Assert.Equal(["\"first\""], server.Chunks);
        Assert.Equal(["""run_a {"outcome":"failed","error":"no more"}"""], completions);
    }

    [Fact]
    public async Task A_failed_pipe_that_nobody_looked_after_fails_the_run()
    {
        await using var server = await StartAsync();
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.StreamFull));
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.StreamFull));
        using var client = server.NewClient();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.RunAsync(
            new RegisterRun("run_a"),
            (_, _) =>
            {
                Log.Pipe(LaterAsync(Task.CompletedTask), cancellationToken: Cancelled);
                return Task.CompletedTask;
            },
            cancellationToken: Cancelled));
        Assert.Equal("stream_full", failure.Code);

        await client.Runs.RunAsync(
            new RegisterRun("run_b"),
            async (_, _) => await Assert.ThrowsAsync<RealtimeStreamsException>(() => Log.Pipe(LaterAsync(Task.CompletedTask), cancellationToken: Cancelled).Completion),
            cancellationToken: Cancelled);
        Assert.StartsWith("""run_a {"outcome":"failed""", completions[0], StringComparison.Ordinal);
        Assert.Equal("""run_b {"outcome":"completed"}""", completions[1]);
    }

    [Fact]
    public async Task A_cancelled_run_is_cancelled_and_what_its_pipes_took_is_stored()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.Runs.RunAsync(
            new RegisterRun("run_a"),
            async (run, cancellationToken) =>
            {
                var pipe = Log.Pipe(UntilStoppedAsync(run.Stopping), cancellationToken: CancellationToken.None);
                await pipe.Stream.FirstAsync(Cancelled);
                await cancel.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            },
            cancellationToken: cancel.Token));

        Assert.Equal(["\"first\""], server.Chunks);
        Assert.Equal(["""run_a {"outcome":"cancelled"}"""], completions);
    }

    [Fact]
    public async Task A_cancellation_that_nobody_asked_for_is_a_failure()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.Runs.RunAsync(new RegisterRun("run_a"), (_, _) => throw new TaskCanceledException("too slow"), cancellationToken: Cancelled));

        Assert.Equal(["""run_a {"outcome":"failed","error":"too slow"}"""], completions);
    }

    [Fact]
    public async Task A_failed_attempt_can_leave_the_run_open_and_its_number_is_the_epoch()
    {
        await using var server = await StartAsync();
        var epochs = new List<string>();
        server.AppendFaults.Enqueue((context, store) =>
        {
            epochs.Add(context.Request.Headers[NativeHeaders.ProducerEpoch].ToString());
            return store();
        });
        using var client = server.NewClient();

        await Assert.ThrowsAsync<InvalidOperationException>(() => client.Runs.RunAsync(
            new RegisterRun("run_a"),
            async (run, _) =>
            {
                Assert.Equal(2u, run.Attempt);
                await Log.Pipe(LaterAsync(Task.CompletedTask), cancellationToken: Cancelled).Completion;
                throw new InvalidOperationException();
            },
            new RunOptions { Attempt = 2, KeepOpenOnFailure = true },
            Cancelled));

        Assert.Empty(completions);
        Assert.Equal(["2"], epochs);
    }

    [Fact]
    public async Task A_run_that_has_ended_is_not_run_again()
    {
        await using var server = await StartAsync(RunStatus.Completed);
        using var client = server.NewClient();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(
            () => client.Runs.RunAsync(new RegisterRun("run_a"), (_, _) => throw new InvalidOperationException("must not run"), cancellationToken: Cancelled));
        Assert.Equal("run_completed", failure.Code);
    }

    [Fact]
    public async Task A_registration_without_id_gets_one_before_it_is_sent()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();

        Assert.Equal(5, await client.Runs.RunAsync(new RegisterRun(), (_, _) => Task.FromResult(5), cancellationToken: Cancelled));

        Assert.StartsWith("run_", registrations.Single().Id, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scope_gives_back_the_run_that_was_going_on_before()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();
        var outer = Info("outer", null, RunStatus.Open);

        await using (var scope = client.Runs.Enter(outer))
        {
            await using (client.Runs.Enter(Info("inner", "outer", RunStatus.Open), attempt: 4))
                Assert.Equal(("inner", "outer", 4u), (RunContext.Current!.RunId, RunContext.Current.ParentRunId, RunContext.Current.Attempt));
            Assert.Same(scope.Context, RunContext.Current);
        }
        Assert.Null(RunContext.Current);
    }

    [Fact]
    public async Task Without_a_run_a_write_says_what_to_do()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient();

        Assert.Contains("client.Streams", Assert.Throws<InvalidOperationException>(
            () => Log.Pipe(LaterAsync(Task.CompletedTask), cancellationToken: Cancelled)).Message, StringComparison.Ordinal);
        foreach (var target in new[] { StreamTarget.Self, StreamTarget.Parent, StreamTarget.Root })
        {
            var fault = Assert.Throws<InvalidOperationException>(
                () => client.Streams.Pipe(LaterAsync(Task.CompletedTask), new PipeOptions { Target = target }, Cancelled));
            Assert.Contains("StreamTarget.Run(runId)", fault.Message, StringComparison.Ordinal);
        }
        await using var scope = client.Runs.Enter(Info("lonely", null, RunStatus.Open));
        Assert.Contains("no parent", Assert.Throws<InvalidOperationException>(
            () => Log.Pipe(LaterAsync(Task.CompletedTask), new PipeOptions { Target = "parent" }, Cancelled)).Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task An_erase_whose_answer_was_lost_succeeds()
    {
        await using var server = await ScriptedServer.StartAsync();
        var erased = false;
        server.Others = (context, _) =>
        {
            if (erased) return ScriptedServer.RefuseAsync(context, ErrorCode.RunNotFound);
            erased = true;
            context.Abort();
            return Task.CompletedTask;
        };
        using var client = server.NewClient();

        await client.Runs.EraseAsync("run_a", Cancelled);

        Assert.Equal(2, server.Requests.Count);
        await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.EraseAsync("run_a", Cancelled));
    }

    [Fact]
    public async Task A_list_asks_for_what_it_is_told()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Others = (context, _) => context.Response.WriteAsync("""{"runs":[]}""", Cancelled);
        using var client = server.NewClient();

        await client.Runs.ListAsync(new RunQuery { Status = RunStatus.Open, Tag = "a b", TaskId = "t&c", Cursor = "x=", Limit = 7 }, Cancelled);
        await client.Runs.ListAsync(cancellationToken: Cancelled);

        Assert.Equal(["GET /api/v1/runs?status=open&tag=a%20b&taskId=t%26c&cursor=x%3D&limit=7", "GET /api/v1/runs"], server.Requests);
    }

    private async Task<ScriptedServer> StartAsync(RunStatus status = RunStatus.Open)
    {
        var server = await ScriptedServer.StartAsync();
        server.Others = (context, body) =>
        {
            context.Response.ContentType = "application/json";
            if (!context.Request.Path.Value!.EndsWith("/complete", StringComparison.Ordinal))
            {
                var registration = JsonSerializer.Deserialize(body, NativeJson.Default.RegisterRun)!;
                lock (registrations) registrations.Add(registration);
                return context.Response.WriteAsync(
                    JsonSerializer.Serialize(Info(registration.Id!, registration.ParentRunId, status), NativeJson.Default.RunInfo), Cancelled);
            }
            var id = context.Request.Path.Value.Split('/')[^2];
            lock (completions) completions.Add($"{id} {body}");
            return context.Response.WriteAsync(JsonSerializer.Serialize(Info(id, null, RunStatus.Completed), NativeJson.Default.RunInfo), Cancelled);
        };
        return server;
    }

    private static RunInfo Info(string id, string? parent, RunStatus status) =>
        new(id, null, parent, parent, [], status, StreamsVersion.V2, null, DateTimeOffset.UnixEpoch, null);

    private static async IAsyncEnumerable<string> LaterAsync(Task start)
    {
        await start;
        yield return "later";
    }

    private static async IAsyncEnumerable<string> UntilStoppedAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return "first";
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }
}
