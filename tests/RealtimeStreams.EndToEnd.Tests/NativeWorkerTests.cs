using System.Text;
using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The rows of the native API that workers use.</summary>
public sealed class NativeWorkerTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());
    private readonly string task = Api.NewId("task");

    [Fact]
    public async Task A_triggered_run_is_claimed_with_its_payload_and_ends_with_its_output()
    {
        var triggered = await TriggerAsync(""","payload":{"file":"ü.csv", "rows":[1,2]}""");
        Assert.Equal((RunStatus.Open, RunPhase.Queued, 0, null), (triggered.Status, triggered.Phase, triggered.Attempt, triggered.StartedAt));

        var claimed = await ReadAsync(await ClaimAsync("w1"));
        var seen = await InspectAsync(triggered.Id);
        var none = await ClaimAsync("w2");
        var done = await ReadAsync(await CompleteAsync(triggered.Id, """{"output":["done", null],"worker":"w1","attempt":1}"""));
        var after = await InspectAsync(triggered.Id);

        Assert.Equal(204, (int)none.StatusCode);
        Assert.Equal((triggered.Id, task, RunPhase.Executing, 1, "w1"), (claimed.Id, claimed.TaskId, claimed.Phase, claimed.Attempt, claimed.Worker));
        Assert.Equal("""{"file":"ü.csv", "rows":[1,2]}""", Text(claimed.Payload)); // As it was given, to the byte.
        Assert.Equal(claimed.StartedAt!.Value.AddSeconds(30), claimed.LeaseUntil);
        Assert.Equal(("w1", claimed.StartedAt, Text(claimed.Payload)), (seen.Worker, seen.StartedAt, Text(seen.Payload)));
        Assert.Equal((RunStatus.Completed, null, null), (done.Status, done.Phase, done.LeaseUntil));
        Assert.Equal("""["done", null]""", Text(done.Output));
        Assert.Equal((Text(done.Output), Text(claimed.Payload), null), (Text(after.Output), Text(after.Payload), after.PayloadType));
        var listed = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs?taskId={task}"), NativeJson.Default.RunPage);
        Assert.Equal((triggered.Id, null), (listed.Runs.Single().Id, listed.Runs.Single().Payload));
    }

    [Fact]
    public async Task A_claim_that_was_lost_can_neither_be_renewed_nor_completed()
    {
        var run = (await TriggerAsync()).Id;
        await ReadAsync(await ClaimAsync("slow"));
        await ReadAsync(await RenewAsync(run, """{"worker":"slow","attempt":1,"leaseInSeconds":0}""")); // As if its lease had run out.
        Assert.Equal(RunPhase.Queued, (await InspectAsync(run)).Phase);

        var second = await ReadAsync(await ClaimAsync("quick"));

        Assert.Equal((run, 2, "quick"), (second.Id, second.Attempt, second.Worker));
        Assert.Equal("claim_lost", await CodeOfAsync(RenewAsync(run, """{"worker":"slow","attempt":1}""")));
        Assert.Equal("claim_lost", await CodeOfAsync(CompleteAsync(run, """{"worker":"slow","attempt":1,"output":1}""")));
        Assert.Equal("claim_lost", await CodeOfAsync(CompleteAsync(run, """{"worker":"slow","attempt":2,"output":1}""")));
        Assert.Equal("claim_lost", await CodeOfAsync(CompleteAsync(run, """{"attempt":1,"output":1}""")));
        Assert.Equal((RunStatus.Open, null), ((await InspectAsync(run)).Status, (await InspectAsync(run)).Output));

        var renewed = await ReadAsync(await RenewAsync(run, """{"worker":"quick","attempt":2,"leaseInSeconds":3600}"""));
        Assert.True(renewed.LeaseUntil > second.LeaseUntil!.Value.AddSeconds(3000));
        var failed = await ReadAsync(await CompleteAsync(run, """{"outcome":"failed","error":"no luck","worker":"quick","attempt":2}"""));
        Assert.Equal((RunStatus.Failed, "no luck"), (failed.Status, failed.Error));
        Assert.Equal("run_completed", await CodeOfAsync(RenewAsync(run, """{"worker":"quick","attempt":2}""")));
    }

    [Fact]
    public async Task A_claim_that_waits_is_answered_when_a_run_is_triggered()
    {
        var waiting = ClaimAsync("w1", ""","waitInSeconds":30""");
        var other = await ReadAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"taskId":"{{task}}-other","triggered":true}"""));
        Assert.False(waiting.IsCompleted);

        var triggered = await TriggerAsync();

        Assert.Equal(triggered.Id, (await ReadAsync(await waiting)).Id);
        Assert.Equal(RunPhase.Queued, (await InspectAsync(other.Id)).Phase);
        Assert.Equal(204, (int)(await ClaimAsync("w1", ""","waitInSeconds":1""")).StatusCode);
    }

    [Fact]
    public async Task A_claim_whose_client_has_gone_leaves_the_run_to_others()
    {
        using (var gone = CancellationTokenSource.CreateLinkedTokenSource(Api.Cancellation))
        {
            using var request = api.Request(HttpMethod.Post, "/api/v1/runs/claim");
            request.Content = new StringContent($$"""{"tasks":["{{task}}"],"worker":"gone","waitInSeconds":30}""", Encoding.UTF8, Api.Json);
            var waiting = api.Client.SendAsync(request, gone.Token);
            await TriggerAsync();
            Assert.Equal(200, (int)(await waiting).StatusCode); // It did wait.
            using var again = api.Request(HttpMethod.Post, "/api/v1/runs/claim");
            again.Content = new StringContent($$"""{"tasks":["{{task}}"],"worker":"gone","waitInSeconds":30}""", Encoding.UTF8, Api.Json);
            var left = api.Client.SendAsync(again, gone.Token);
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }
        var run = await TriggerAsync();

        var answer = await ClaimAsync("here", ""","waitInSeconds":30""");
        if ((int)answer.StatusCode == 204) answer = await ClaimAsync("here", ""","waitInSeconds":30"""); // The server learnt too late that the other one had gone, whose lease is over by now.
        var claimed = await ReadAsync(answer);

        Assert.Equal((run.Id, "here"), (claimed.Id, claimed.Worker));
    }

    [Fact]
    public async Task The_same_trigger_is_recognised_by_its_id_and_by_its_idempotency_key()
    {
        var id = Api.NewId();
        var body = $$"""{"id":"{{id}}","taskId":"{{task}}","triggered":true,"payload":[1]}""";
        using var first = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", body);
        using var second = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", body);
        var other = await CodeOfAsync(api.SendAsync(HttpMethod.Post, "/api/v1/runs", body.Replace("[1]", "[2]", StringComparison.Ordinal)));
        var keyed = await TriggerAsync(""","idempotencyKey":"once","payload":1""");
        var again = await TriggerAsync(""","idempotencyKey":"once","payload":2""");

        Assert.Equal((201, 200, "run_conflict"), ((int)first.StatusCode, (int)second.StatusCode, other));
        Assert.Equal((keyed.Id, "1"), (again.Id, Text(again.Payload)));
    }

    [Fact]
    public async Task A_run_may_be_called_claim()
    {
        await api.SendAsync(HttpMethod.Delete, "/api/v1/runs/claim");
        using var made = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", """{"id":"claim"}""");

        Assert.Equal("claim", (await InspectAsync("claim")).Id);
        await api.AppendAsync("claim", "s", "1");
        Assert.Equal(RunStatus.Completed, (await ReadAsync(await CompleteAsync("claim", "{}"))).Status);
        Assert.Equal(200, (int)(await api.SendAsync(HttpMethod.Delete, "/api/v1/runs/claim")).StatusCode);
    }

    [Theory]
    [InlineData("claim", "{}", "tasks")]
    [InlineData("claim", """{"tasks":[],"worker":"w"}""", "tasks")]
    [InlineData("claim", """{"tasks":[null],"worker":"w"}""", "tasks")]
    [InlineData("claim", """{"tasks":["t"]}""", "worker")]
    [InlineData("claim", """{"tasks":["t"],"worker":""}""", null)]
    [InlineData("claim", """{"tasks":["t"],"worker":"w","leaseInSeconds":0}""", "leaseInSeconds")]
    [InlineData("claim", """{"tasks":["t"],"worker":"w","leaseInSeconds":3601}""", "leaseInSeconds")]
    [InlineData("claim", """{"tasks":["t"],"worker":"w","waitInSeconds":31}""", "waitInSeconds")]
    [InlineData("claim", """{"tasks":["t"],"worker":"w","waitInSeconds":"x"}""", "waitInSeconds")]
    [InlineData("any/renew", """{"attempt":1}""", "worker")]
    [InlineData("any/renew", """{"worker":"w"}""", "attempt")]
    [InlineData("any/renew", """{"worker":"w","attempt":1,"leaseInSeconds":-1}""", "leaseInSeconds")]
    [InlineData("any/complete", """{"worker":"w"}""", "attempt")]
    [InlineData("", """{"triggered":true}""", null)]
    public async Task What_a_worker_says_wrongly_is_named(string path, string body, string? field)
    {
        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{path}".TrimEnd('/'), body));

        Assert.Equal(("invalid_request", field), (problem.Code, problem.Field));
    }

    [Fact]
    public async Task Too_large_a_payload_or_output_is_refused_and_nothing_is_changed()
    {
        var large = new string('x', 1024 * 1024 + 1);
        Assert.Equal("body_too_large", await CodeOfAsync(
            api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"taskId":"{{task}}","triggered":true,"payload":"{{large}}"}""")));
        Assert.Equal(204, (int)(await ClaimAsync("w")).StatusCode);
        var run = (await TriggerAsync($$""","payload":"{{large[..^3]}}" """)).Id;
        Assert.Equal("body_too_large", await CodeOfAsync(CompleteAsync(run, $$"""{"output":"{{large}}"}""")));
        Assert.Equal("run_not_found", await CodeOfAsync(RenewAsync("nobody", """{"worker":"w","attempt":1}""")));

        var claimed = await ReadAsync(await ClaimAsync("w"));

        Assert.Equal((run, large.Length - 3), (claimed.Id, claimed.Payload!.Value.GetString()!.Length));
    }

    public void Dispose() => api.Dispose();

    private static string? Text(JsonElement? json) => json is { } value ? value.GetRawText() : null;

    private static Task<RunInfo> ReadAsync(HttpResponseMessage response) => Api.ReadAsync(response, NativeJson.Default.RunInfo);

    private static async Task<string?> CodeOfAsync(Task<HttpResponseMessage> response) => (await Api.ReadProblemAsync(await response)).Code;

    private async Task<RunInfo> TriggerAsync(string more = "") =>
        await ReadAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"taskId":"{{task}}","triggered":true{{more}}}"""));

    private async Task<RunInfo> InspectAsync(string run) => await ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}"));

    private Task<HttpResponseMessage> ClaimAsync(string worker, string more = "") =>
        api.SendAsync(HttpMethod.Post, "/api/v1/runs/claim", $$"""{"tasks":["{{task}}"],"worker":"{{worker}}"{{more}}}""");

    private Task<HttpResponseMessage> RenewAsync(string run, string body) => api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/renew", body);

    private Task<HttpResponseMessage> CompleteAsync(string run, string body) => api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", body);
}
