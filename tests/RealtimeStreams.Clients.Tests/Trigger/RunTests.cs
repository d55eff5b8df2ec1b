using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>tasks.trigger(), and following the run that it makes: retrieve, poll, subscribe, with streams, and the hooks.</summary>
public sealed class RunTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/runs.mjs"), IDisposable
{
    private readonly RealtimeStreamsClient client = new(new RealtimeStreamsClientOptions { BaseAddress = shared.Process.Address, SecretKey = shared.Process.SecretKey });

    void IDisposable.Dispose()
    {
        client.Dispose();
        Dispose();
    }

    [Theory]
    [InlineData("1", StreamsVersion.V2)]
    [InlineData("0", StreamsVersion.V1)]
    public async Task Triggering_registers_a_run_of_the_task(string v2, StreamsVersion version)
    {
        var task = Api.NewId("task");
        var settings = new Dictionary<string, string> { ["TRIGGER_V2_REALTIME_STREAMS"] = v2 };

        var result = await RunAsync("trigger", new { task, payload = new { question = "ä?" }, options = new { tags = new[] { "user:1", "b" } } }, settings: settings);

        var id = result.GetProperty("handle").GetProperty("id").GetString()!;
        var run = result.GetProperty("run");
        Assert.Equal((id, task, "QUEUED"), (run.GetProperty("id").GetString(), run.GetProperty("taskIdentifier").GetString(), run.GetProperty("status").GetString()));
        Assert.True(run.GetProperty("isQueued").GetBoolean());
        Assert.Equal(["\"user:1\"", "\"b\""], Texts(run.GetProperty("tags")));
        Assert.Equal("ä?", run.GetProperty("payload").GetProperty("question").GetString());
        Assert.Equal(id, result.GetProperty("seenWithItsToken").GetProperty("value").GetProperty("id").GetString());
        var native = await Api.ReadAsync(await Api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{id}"), NativeJson.Default.RunInfo);
        Assert.Equal((task, version), (native.TaskId, native.StreamsVersion));
    }

    [Fact]
    public async Task Triggering_again_with_the_same_key_finds_the_first_run()
    {
        var options = new { idempotencyKey = Api.NewId("key") };

        var result = await RunAsync("trigger", new { task = Api.NewId("task"), payload = new { }, options });

        Assert.Equal(result.GetProperty("handle").GetProperty("id").GetString(), result.GetProperty("again").GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_trigger_whose_answer_is_lost_makes_one_run()
    {
        var task = Api.NewId("task");
        await using var proxy = new TcpProxy(Server.Port);
        proxy.SwallowNextAnswer();

        var result = await RunAsync("trigger", new { task, payload = new { } }, proxy.Port);

        Assert.Equal(1, proxy.Swallowed);
        var run = Assert.Single((await client.Runs.ListAsync(new RunQuery { TaskId = task }, Cancelled)).Runs);
        Assert.Equal(run.Id, result.GetProperty("handle").GetProperty("id").GetString());
    }

    [Fact]
    public async Task An_unknown_run_is_not_found()
    {
        var outcome = await RunAsync("retrieve", new { run = "run_unknown" });

        Assert.Equal(404, outcome.GetProperty("status").GetInt32());
        Assert.InRange(outcome.GetProperty("milliseconds").GetDouble(), 0, 8_000);
    }

    [Theory]
    [InlineData(Outcome.Completed, "COMPLETED")]
    [InlineData(Outcome.Failed, "FAILED")]
    [InlineData(Outcome.Cancelled, "CANCELED")]
    public async Task Polling_ends_when_a_worker_has_done_the_run(Outcome outcome, string status)
    {
        var task = Api.NewId("task");
        await using var scenario = Start("poll", new { task, payload = new { number = 41 } });
        var id = (await scenario.SaidAsync("triggered")).GetString()!;

        var claimed = await client.Runs.ClaimAsync([task], cancellationToken: Cancelled);
        Assert.Equal((id, 41), (claimed!.Id, claimed.Payload!.Value.GetProperty("number").GetInt32()));
        var output = outcome == Outcome.Completed ? JsonSerializer.SerializeToElement(new { number = 42 }) : (JsonElement?)null;
        var error = outcome == Outcome.Failed ? "It broke." : null;
        await client.Runs.CompleteAsync(id, new CompleteRun(outcome, error, output, claimed.Worker, claimed.Attempt), Cancelled);

        var run = await scenario.ResultAsync();
        Assert.Equal((id, status), (run.GetProperty("id").GetString(), run.GetProperty("status").GetString()));
        Assert.Equal(outcome == Outcome.Completed, run.GetProperty("isSuccess").GetBoolean());
        Assert.Equal(41, run.GetProperty("payload").GetProperty("number").GetInt32());
        if (output is not null) Assert.Equal(42, run.GetProperty("output").GetProperty("number").GetInt32());
        if (error is not null) Assert.Equal(error, run.GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_subscription_tells_each_status_and_ends_with_the_run()
    {
        var task = Api.NewId("task");
        await using var scenario = Start("subscribe", new { task, payload = new { } });
        var id = (await scenario.SaidAsync("triggered")).GetString()!;
        Assert.Equal("QUEUED", (await scenario.SaidAsync("status")).GetString());

        var claimed = await client.Runs.ClaimAsync([task], cancellationToken: Cancelled);
        Assert.Equal("EXECUTING", (await scenario.SaidAsync("status")).GetString());
        await client.Runs.CompleteAsync(id, new CompleteRun(Outcome.Completed, Worker: claimed!.Worker, Attempt: claimed.Attempt), Cancelled);

        var result = await scenario.ResultAsync();
        Assert.Equal(["\"QUEUED\"", "\"EXECUTING\"", "\"COMPLETED\""], Texts(result.GetProperty("statuses")));
        Assert.Equal(id, result.GetProperty("last").GetProperty("id").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelling_a_queued_run_ends_it_at_once(bool token)
    {
        var task = Api.NewId("task");
        await using var scenario = Start("cancel", new { task, token });
        var id = (await scenario.SaidAsync("triggered")).GetString()!;
        scenario.Tell(PublicToken.Sign(Server.SecretKey, [$"write:runs:{id}", $"read:runs:{id}"]));

        Assert.Equal("CANCELED", (await scenario.SaidAsync("cancelled")).GetString());
        var result = await scenario.ResultAsync();
        Assert.Equal((id, id), (result.GetProperty("answer").GetProperty("id").GetString(), result.GetProperty("again").GetProperty("id").GetString()));
        Assert.Equal(["\"CANCELED\""], Texts(result.GetProperty("statuses")));
        Assert.True(result.GetProperty("isCancelled").GetBoolean());
        Assert.Null(await client.Runs.ClaimAsync([task], new ClaimOptions { Wait = TimeSpan.Zero }, Cancelled));
    }

    [Fact]
    public async Task Cancelling_a_run_that_executes_asks_its_worker_which_ends_it()
    {
        var task = Api.NewId("task");
        await using var scenario = Start("cancel", new { task, token = false });
        var id = (await scenario.SaidAsync("triggered")).GetString()!;
        var began = new TaskCompletionSource();
        var mayEnd = new TaskCompletionSource();
        await using var worker = await WorkerHost.StartAsync(Server, "w", services => services.AddRealtimeStreamsTask<JsonElement>(task, async (run, _, cancellationToken) =>
        {
            began.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            finally
            {
                Assert.Equal(RunStopCause.Requested, run.StopCause);
                await mayEnd.Task;
            }
        }));
        await began.Task.WaitAsync(Cancelled);
        scenario.Tell();

        Assert.Equal("EXECUTING", (await scenario.SaidAsync("cancelled")).GetString()); // Not yet: its worker is at it.
        Assert.Equal("w", (await client.Runs.WaitForStopAsync(id, StopState.Seen, Cancelled)).SeenBy);
        mayEnd.SetResult();

        var result = await scenario.ResultAsync();
        Assert.Equal("\"CANCELED\"", Texts(result.GetProperty("statuses"))[^1]);
        Assert.Equal("CANCELED", result.GetProperty("status").GetString());
        Assert.Equal(Outcome.Cancelled, (await client.Runs.WaitForStopAsync(id, cancellationToken: Cancelled)).Outcome);
    }

    [Fact]
    public async Task Cancelling_an_unknown_run_is_refused_at_once()
    {
        var outcome = await RunAsync("cancelUnknown", new { run = "run_unknown" });

        Assert.Equal(404, outcome.GetProperty("status").GetInt32());
        Assert.InRange(outcome.GetProperty("milliseconds").GetDouble(), 0, 8_000);
    }

    [Fact]
    public async Task A_subscription_with_streams_gives_their_chunks_too()
    {
        var task = Api.NewId("task");
        await using var scenario = Start("withStreams", new { task, payload = new { }, key = "log", count = 3 });
        var id = (await scenario.SaidAsync("triggered")).GetString()!;

        for (var i = 0; i < 3; i++) await Api.AppendAsync(id, "log", $"{i}");
        await scenario.SaidAsync("chunks");
        await Api.CompleteAsync(id);

        var result = await scenario.ResultAsync();
        Assert.Equal(["0", "1", "2"], Texts(result.GetProperty("chunks")));
        Assert.Equal("\"COMPLETED\"", Texts(result.GetProperty("statuses"))[^1]);
    }

    [Fact]
    public async Task The_hook_shows_a_run_until_it_ends()
    {
        var run = await RegisterAsync();
        await using var page = await PageAsync("run", run);
        await page.SaidAsync("status");

        await Api.CompleteAsync(run);

        Assert.Equal("COMPLETED", (await page.ResultAsync()).GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_hook_with_streams_shows_their_chunks_too()
    {
        var run = await RegisterAsync();
        for (var i = 0; i < 3; i++) await Api.AppendAsync(run, "log", $"{i}");
        await using var page = await PageAsync("withStreams", run);

        await page.SaidAsync("chunks");
        await Api.CompleteAsync(run);

        var result = await page.ResultAsync();
        Assert.Equal("COMPLETED", result.GetProperty("run").GetProperty("status").GetString());
        Assert.Equal(["0", "1", "2"], Texts(result.GetProperty("chunks")));
    }

    private async Task<Scenario> PageAsync(string name, string run)
    {
        await using var signing = Scenario.Start("trigger/tokens.mjs", "one", JsonSerializer.SerializeToNode(new { run })!, Settings(Server));
        var accessToken = (await signing.ResultAsync()).GetString();
        return Scenario.Start("trigger/runHook.mjs", name, JsonSerializer.SerializeToNode(new { run, accessToken, key = "log", count = 3 })!, Settings(Server));
    }
}
