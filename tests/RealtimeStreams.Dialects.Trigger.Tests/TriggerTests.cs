using System.Net;
using System.Text.Json;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class TriggerTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task A_triggered_task_is_a_run_that_waits_for_a_worker()
    {
        // As the published SDK sends it.
        var (run, isCached, token) = await TriggerAsync(
            "my-task",
            """{"payload":"{\"json\":{\"hello\":1},\"meta\":{}}","options":{"payloadType":"application/super+json","payloadSize":16,"tags":["t1","t2"],"metadata":{"a":1},"queue":{"name":"q"}}}""",
            "x-trigger-realtime-streams-version", "v1");

        Assert.False(isCached);
        var told = await RetrieveAsync(run);
        Assert.Equal(("QUEUED", "my-task", true), (told.GetProperty("status").GetString(), told.GetProperty("taskIdentifier").GetString(), told.GetProperty("isQueued").GetBoolean()));
        Assert.Equal("""{"hello":1}""", told.GetProperty("payload").GetRawText());
        Assert.Equal("""{"a":1}""", told.GetProperty("metadata").GetRawText());
        Assert.Equal(["t1", "t2"], told.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        using var native = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}");
        Assert.Contains("\"v1\"", await native.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        using var shape = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/runs/{run}?offset=-1", null, "Authorization", $"Bearer {token}");
        Assert.Contains("\"PENDING\"", await shape.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_that_comes_with_it_watches_that_run_and_sends_to_it()
    {
        var (run, _, token) = await TriggerAsync("my-task", "{}");
        var other = await api.RegisterAsync();

        using var watched = await api.SendAsync(HttpMethod.Get, $"/api/v3/runs/{run}", null, "Authorization", $"Bearer {token}");
        using var sent = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{run}/input/in", """{"data":1}""", "Authorization", $"Bearer {token}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (watched.StatusCode, sent.StatusCode));
        await api.RefusedAsync(HttpStatusCode.Forbidden, HttpMethod.Get, $"/api/v3/runs/{other}", null, "Authorization", $"Bearer {token}");
        await api.RefusedAsync(HttpStatusCode.Forbidden, HttpMethod.Post, "/api/v1/tasks/my-task/trigger", "{}", "Authorization", $"Bearer {token}");
    }

    [Fact]
    public async Task A_retried_call_is_answered_as_the_first_was()
    {
        var key = Guid.NewGuid().ToString();

        var first = await TriggerAsync("my-task", """{"payload":1}""", "x-trigger-request-idempotency-key", key);
        var again = await TriggerAsync("my-task", """{"payload":1}""", "x-trigger-request-idempotency-key", key);
        var other = await TriggerAsync("my-task", """{"payload":1}""", "x-trigger-request-idempotency-key", Guid.NewGuid().ToString());

        Assert.Equal((first.Run, false), (again.Run, again.IsCached));
        Assert.NotEqual(first.Run, other.Run);
    }

    [Fact]
    public async Task An_idempotency_key_finds_the_first_run_of_the_task()
    {
        var body = "{\"payload\":1,\"options\":{\"idempotencyKey\":\"" + Guid.NewGuid() + "\"}}";

        var first = await TriggerAsync("task-a", body);
        var again = await TriggerAsync("task-a", body);
        var other = await TriggerAsync("task-b", body);

        Assert.Equal((first.Run, true), (again.Run, again.IsCached));
        Assert.False(first.IsCached);
        Assert.NotEqual(first.Run, other.Run);
    }

    [Theory]
    [InlineData("""{"json":{"a":1}}""", """{"a":1}""", null)]
    [InlineData("""{"json":{"a":1},"meta":{}}""", """{"a":1}""", null)]
    [InlineData("""{"json":"2026-01-01","meta":{"values":["Date"]}}""", """{"json":"2026-01-01","meta":{"values":["Date"]}}""", "application/super+json")]
    public async Task A_worker_is_given_the_plain_value_where_the_clients_format_adds_nothing(string packet, string payload, string? type)
    {
        var (run, _, _) = await TriggerAsync("my-task", $$$"""{"payload":{{{JsonSerializer.Serialize(packet)}}},"options":{"payloadType":"application/super+json"}}""");

        using var native = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}");
        using var told = JsonDocument.Parse(await native.Content.ReadAsStringAsync(Cancellation));

        Assert.Equal(payload, told.RootElement.GetProperty("payload").GetRawText());
        Assert.Equal(type, told.RootElement.TryGetProperty("payloadType", out var value) ? value.GetString() : null);
    }

    [Theory]
    [InlineData("""{"payload":{"a":[1,2]}}""", """{"a":[1,2]}""")]
    [InlineData("""{"payload":"text"}""", "\"text\"")]
    [InlineData("""{"payload":"text","options":{"payloadType":"text/plain"}}""", "\"text\"")]
    [InlineData("""{"payload":"{\"json\":[1]}","options":{"payloadType":"application/super+json"}}""", "[1]")]
    [InlineData("""{"payload":"nonsense","options":{"payloadType":"application/super+json"}}""", "\"nonsense\"")]
    [InlineData("""{"payload":null}""", null)]
    [InlineData("{}", null)]
    public async Task A_payload_is_told_as_the_value_that_it_is(string body, string? payload)
    {
        var (run, _, _) = await TriggerAsync("my-task", body);

        var told = await RetrieveAsync(run);

        Assert.Equal(payload, told.TryGetProperty("payload", out var value) ? value.GetRawText() : null);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("""{"options":{"tags":[1]}}""")]
    [InlineData("""{"options":{"tags":"ok","parentRunId":"self"}}""")]
    [InlineData("""{"options":{"metadata":"no json"}}""")]
    [InlineData("""{"options":{"metadata":[1]}}""")]
    [InlineData("""{"options":{"delay":"1h"}}""")]
    [InlineData("""{"options":{"debounce":{"key":"k","delay":"1s"}}}""")]
    [InlineData("""{"options":{"resumeParentOnCompletion":true}}""")]
    public async Task What_cannot_be_done_is_refused_and_nothing_is_triggered(string body) =>
        await api.RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Post, "/api/v1/tasks/refused/trigger", body);

    [Theory]
    [InlineData("trigger:tasks:my-task", true)]
    [InlineData("write:tasks:my-task", true)]
    [InlineData("write:tasks", true)]
    [InlineData("admin", true)]
    [InlineData("trigger:tasks:other", false)]
    [InlineData("read:tasks:my-task", false)]
    public async Task A_token_triggers_the_tasks_that_its_scopes_name(string scope, bool opens)
    {
        using var answer = await api.SendAsync(
            HttpMethod.Post, "/api/v1/tasks/my-task/trigger", "{}", "Authorization", PublicToken.Bearer(server.Process.SecretKey, [scope]), "Origin", "https://app.example");

        Assert.Equal(opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task A_token_for_one_use_triggers_one_run()
    {
        var token = PublicToken.Bearer(server.Process.SecretKey, ["write:tasks:my-task"], claims => claims["otu"] = true);

        var first = await TriggerAsync("my-task", """{"payload":1}""", "Authorization", token);
        var again = await TriggerAsync("my-task", """{"payload":2,"options":{"idempotencyKey":"another"}}""", "Authorization", token);

        Assert.Equal((first.Run, true), (again.Run, again.IsCached));
    }

    [Fact]
    public async Task A_subscriber_sees_a_run_being_claimed_and_ended_with_its_output()
    {
        var task = $"task-{Guid.NewGuid():N}";
        var (run, _, _) = await TriggerAsync(task, """{"payload":{"n":1}}""");
        var (offset, handle, status, _) = await FetchAsync(run, "offset=-1");
        Assert.Equal("PENDING", status);

        var held = FetchAsync(run, $"live=true&offset={offset}&handle={handle}");
        using var claimed = await api.SendAsync(HttpMethod.Post, "/api/v1/runs/claim", $$"""{"tasks":["{{task}}"],"worker":"w","leaseInSeconds":60}""");
        Assert.True(claimed.IsSuccessStatusCode, await claimed.Content.ReadAsStringAsync(Cancellation));
        (offset, handle, status, _) = await held;
        Assert.Equal("EXECUTING", status);

        held = FetchAsync(run, $"live=true&offset={offset}&handle={handle}");
        using var completed = await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", """{"outcome":"completed","output":{"answer":42}}""");
        Assert.True(completed.IsSuccessStatusCode, await completed.Content.ReadAsStringAsync(Cancellation));
        var (_, _, ended, row) = await held;
        Assert.Equal("COMPLETED_SUCCESSFULLY", ended);
        Assert.Equal("""{"answer":42}""", row.GetProperty("output").GetString());
        Assert.Equal("application/json", row.GetProperty("outputType").GetString());
        Assert.Equal("""{"answer":42}""", (await RetrieveAsync(run)).GetProperty("output").GetRawText());
    }

    private async Task<(string Run, bool IsCached, string Token)> TriggerAsync(string task, string body, params string[] headers)
    {
        using var answer = await api.SendAsync(HttpMethod.Post, $"/api/v1/tasks/{Uri.EscapeDataString(task)}/trigger", body, headers);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        using var json = JsonDocument.Parse(text);
        return (json.RootElement.GetProperty("id").GetString()!, json.RootElement.GetProperty("isCached").GetBoolean(), answer.Headers.GetValues("x-trigger-jwt").Single());
    }

    private async Task<JsonElement> RetrieveAsync(string run)
    {
        using var answer = await api.SendAsync(HttpMethod.Get, $"/api/v3/runs/{run}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        return body.RootElement.Clone();
    }

    private async Task<(string Offset, string Handle, string? Status, JsonElement Row)> FetchAsync(string run, string query)
    {
        using var answer = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/runs/{run}?{query}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        var row = body.RootElement[0].GetProperty("value").Clone();
        return (answer.Headers.GetValues("electric-offset").Single(), answer.Headers.GetValues("electric-handle").Single(), row.GetProperty("status").GetString(), row);
    }
}
