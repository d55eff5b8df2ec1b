using System.Net.Http.Headers;
using System.Text.Json;
using RealtimeStreams.Server.Tests.Authorization;

namespace RealtimeStreams.Server.Tests.Bodies;

/// <summary>
/// Text that was cut within a character, as browsers send it: JSON takes it and no text in Unicode can hold it. What a run is given and gives, and what a stream holds, is
/// handed on as it came, through every dialect; what is a text for the server is refused.
/// </summary>
[Collection(ServerInProcess.Name)]
public sealed class CutTextTests(ServerInProcess server)
{
    private const string Key = "Bearer " + ServerInProcess.SecretKey;

    private readonly string task = $"cut-{Guid.NewGuid():N}";

    private static string Deep { get; } = new string('[', 64) + new string(']', 64);

    /// <summary>How it is triggered ({0}: the task), the payload as the native API tells it, its type there, and as Trigger's tells it.</summary>
    public static TheoryData<string, string, string, string?, string> Payloads => new()
    {
        { "/api/v1/runs", """{"taskId":"{0}","triggered":true,"payload":{"a": "cut \ud83d","\udc00":[1.50,"\ude00\ud83d"]}}""", """{"a": "cut \ud83d","\udc00":[1.50,"\ude00\ud83d"]}""", null, """{"a": "cut \ud83d","\udc00":[1.50,"\ude00\ud83d"]}""" },
        { "/api/v1/runs", """{"taskId":"{0}","triggered":true,"payload":"\uD83D"}""", "\"\\uD83D\"", null, "\"\\uD83D\"" },
        { "/api/v1/tasks/{0}/trigger", """{"payload":{"\ud800":"a\udc00"}}""", """{"\ud800":"a\udc00"}""", null, """{"\ud800":"a\udc00"}""" },
        { "/api/v1/tasks/{0}/trigger", """{"payload":"cut \ud83d","options":{"payloadType":"text/plain"}}""", "\"cut \\ud83d\"", null, "\"cut \\ud83d\"" },
        { "/api/v1/tasks/{0}/trigger", """{"payload":"{\"json\":{\"a\":\"\\ud83d\"},\"meta\":{}}","options":{"payloadType":"application/super+json"}}""", """{"a":"\ud83d"}""", null, """{"a":"\ud83d"}""" },
        { "/api/v1/tasks/{0}/trigger", """{"payload":"{\"json\":{\"a\":\"\\ud83d\"},\"meta\":{\"\\ude00\":1}}","options":{"payloadType":"application/super+json"}}""", """{"json":{"a":"\ud83d"},"meta":{"\ude00":1}}""", "application/super+json", """{"a":"\ud83d"}""" },
        { "/api/v1/tasks/{0}/trigger", """{"payload":"{\"\\ud83d\":1,\"json\":2}","options":{"payloadType":"application/super+json"}}""", "2", null, "2" },
        { "/api/v1/tasks/{0}/trigger", $$$"""{"payload":"{{{Deep}}}","options":{"payloadType":"application/x+json"}}""", $"\"{Deep}\"", "application/x+json", $"\"{Deep}\"" },
    };

    [Theory, MemberData(nameof(Payloads))]
    public async Task What_a_run_is_given_is_told_as_it_came_and_the_run_is_done_by_a_worker(string path, string body, string native, string? type, string trigger)
    {
        var registered = await DoneAsync("POST", path.Replace("{0}", task, StringComparison.Ordinal), body.Replace("{0}", task, StringComparison.Ordinal));
        using var made = JsonDocument.Parse(registered);
        var run = made.RootElement.GetProperty("id").GetString()!;

        var claimed = await DoneAsync("POST", "/api/v1/runs/claim", $$"""{"tasks":["{{task}}"],"worker":"w"}""");
        Assert.Contains($"\"payload\":{native}", claimed, StringComparison.Ordinal);
        using (var told = JsonDocument.Parse(claimed))
        {
            Assert.Equal(run, told.RootElement.GetProperty("id").GetString());
            Assert.Equal(type, told.RootElement.TryGetProperty("payloadType", out var its) ? its.GetString() : null);
        }
        await DoneAsync("POST", $"/api/v1/runs/{run}/complete", """{"worker":"w","attempt":1,"output":["\udbff"]}""");

        foreach (var (from, payload) in ((string, string)[])[($"/api/v1/runs/{run}", native), ($"/api/v3/runs/{run}", trigger)])
        {
            var text = await DoneAsync("GET", from, null);
            Assert.Contains($"\"payload\":{payload}", text, StringComparison.Ordinal);
            Assert.Contains("\"output\":[\"\\udbff\"]", text, StringComparison.Ordinal);
        }
        await DoneAsync("GET", $"/realtime/v1/runs/{run}?offset=-1", null);
        await DoneAsync("GET", "/api/v1/runs", null);
    }

    [Fact]
    public async Task Metadata_is_told_as_it_came()
    {
        var registered = await DoneAsync("POST", $"/api/v1/tasks/{task}/trigger", """{"payload":1,"options":{"metadata":{"m":"\udfff"}}}""");
        using var made = JsonDocument.Parse(registered);

        var text = await DoneAsync("GET", $"/api/v3/runs/{made.RootElement.GetProperty("id").GetString()}", null);

        Assert.Contains("""{"m":"\udfff"}""", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chunks_are_stored_and_read_through_every_dialect_as_they_came()
    {
        var run = $"run-{task}";
        await DoneAsync("POST", "/api/v1/runs", $$"""{"id":"{{run}}"}""");
        await DoneAsync("POST", $"/api/v1/runs/{run}/streams/s", "\"a\\ud83d\"");
        await DoneAsync("POST", $"/realtime/v1/streams/{run}/self/s/append", """{"\ude00":1}""");
        await DoneAsync("POST", $"/api/v1/runs/{run}/inputs/in", "\"a\\ud83d\"");
        await DoneAsync("POST", $"/realtime/v1/streams/{run}/input/in", """{"data":"\udbff"}""");
        await DoneAsync("POST", $"/api/v1/runs/{run}/streams/s/close", """{"finalChunk":["\udfff"]}""");

        var page = await ReadAsync($"/api/v1/runs/{run}/streams/s", "application/json");
        foreach (var chunk in (string[])["\"a\\ud83d\"", """ "{\"\\ude00\":1}" """.Trim(), "[\"\\udfff\"]"]) Assert.Contains(chunk, page, StringComparison.Ordinal);
        var inputs = await ReadAsync($"/api/v1/runs/{run}/inputs/in", "application/json");
        foreach (var chunk in (string[])["\"a\\ud83d\"", "\"\\udbff\""]) Assert.Contains(chunk, inputs, StringComparison.Ordinal);
        using var records = JsonDocument.Parse(await DoneAsync("GET", $"/v1/streams/runs%2F{run}%2Fs/records?seq_num=0", null));
        var bodies = records.RootElement.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("body").GetString()!).ToList();
        Assert.Equal(3, bodies.Count);
        Assert.Contains("a\\ud83d", bodies[0], StringComparison.Ordinal);
        Assert.Contains("\\\\ud83d", await ReadAsync($"/realtime/v1/streams/{run}/s", "text/event-stream"), StringComparison.Ordinal);
    }

    /// <summary>Routes ({0}: a run), bodies, and what of them is at fault.</summary>
    public static TheoryData<string, string, string> Texts => new()
    {
        { "/api/v1/runs", """{"id":"a\ud83d"}""", "id" },
        { "/api/v1/runs", """{"taskId":"a\ud83d"}""", "taskId" },
        { "/api/v1/runs", """{"parentRunId":"\udc00"}""", "parentRunId" },
        { "/api/v1/runs", """{"tags":["a","\udc00"]}""", "tags" },
        { "/api/v1/runs", """{"taskId":"a","idempotencyKey":"\udc00"}""", "idempotencyKey" },
        { "/api/v1/runs/claim", """{"tasks":["\ud83d"],"worker":"w"}""", "tasks" },
        { "/api/v1/runs/claim", """{"tasks":["a"],"worker":"\ud83d"}""", "worker" },
        { "/api/v1/runs/{0}/renew", """{"worker":"\ud83d","attempt":1}""", "worker" },
        { "/api/v1/runs/{0}/stop", """{"reason":"\ud83d"}""", "reason" },
        { "/api/v1/runs/{0}/stop/seen", """{"worker":"\ud83d"}""", "worker" },
        { "/api/v1/runs/{0}/complete", """{"outcome":"failed","error":"\ud83d"}""", "error" },
        { "/api/v1/tokens", """{"scopes":["read:tags:\ud83d"]}""", "scopes" },
        { "/api/v1/tasks/t/trigger", """{"payload":1,"options":{"tags":"\ud83d"}}""", "tags" },
        { "/api/v1/tasks/t/trigger", """{"payload":1,"options":{"tags":["a","\ud83d"]}}""", "tags" },
        { "/api/v1/tasks/t/trigger", """{"payload":1,"options":{"idempotencyKey":"\ud83d"}}""", "idempotencyKey" },
        { "/api/v1/tasks/t/trigger", """{"payload":1,"options":{"parentRunId":"\ud83d"}}""", "parentRunId" },
        { "/api/v1/tasks/t/trigger", """{"payload":1,"options":{"payloadType":"\ud83d"}}""", "payloadType" },
        { "/api/v1/tasks/t/trigger", """{"payload":1,"options":{"metadata":"{\"a\":\"\ud83d\"}"}}""", "metadata" },
        { "/api/v1/tasks/t/trigger", """{"payload":"{\"a\":\"\ud83d\"}","options":{"payloadType":"application/super+json"}}""", "payload" },
    };

    [Theory, MemberData(nameof(Texts))]
    public async Task What_has_to_be_text_is_refused_by_its_name(string path, string body, string field)
    {
        var run = $"run-{task}";
        await DoneAsync("POST", "/api/v1/runs", $$"""{"id":"{{run}}"}""");

        var (status, text) = await server.SendAsync("POST", path.Replace("{0}", run, StringComparison.Ordinal), Key, body);

        Assert.True(status == 400, $"{status}: {text}");
        Assert.Contains(field, text, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> S2Texts => new()
    {
        { "POST /v1/streams", """{"stream":"a\ud83d"}""" },
        { "POST /v1/streams", """{"stream":"a","config":{"storage_class":"\ud83d"}}""" },
        { "POST /v1/streams", """{"stream":"a","config":{"\ud83d":1}}""" },
        { "PUT /v1/streams/cut", """{"timestamping":{"mode":"\udc00"}}""" },
        { "PUT /v1/streams/cut", """{"timestamping":{"\udc00":1}}""" },
        { "PATCH /v1/streams/cut", """{"storage_class":"\ud83d"}""" },
        { "PUT /v1/basins/env-default-37a8eec1", """{"\ud83d":1}""" },
        { "POST /v1/access-tokens", """{"id":"\ud83d"}""" },
        { "POST /v1/access-tokens", """{"id":"a","expires_at":"\ud83d"}""" },
        { "POST /v1/access-tokens", """{"id":"a","scope":{"basins":{"prefix":""},"ops":["\ud83d"],"streams":{"prefix":"x"}}}""" },
        { "POST /v1/access-tokens", """{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"prefix":"\ud83d"}}}""" },
        { "POST /v1/access-tokens", """{"id":"a","scope":{"basins":{"\udc00":""}}}""" },
    };

    [Theory, MemberData(nameof(S2Texts))]
    public async Task S2s_documents_are_text_throughout(string route, string body)
    {
        var (status, text) = await server.SendAsync(route.Split(' ')[0], route.Split(' ')[1], Key, body);

        Assert.True(status == 400, $"{status}: {text}");
        Assert.Contains("half a character", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_in_a_header_is_text_throughout()
    {
        using var client = new HttpClient { BaseAddress = server.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/streams/{task}/records") { Content = new StringContent("""{"records":[{"body":"x"}]}""", MediaTypeHeaderValue.Parse("application/json")) };
        request.Headers.TryAddWithoutValidation("Authorization", Key);
        request.Headers.TryAddWithoutValidation("s2-stream-config", """{"storage_class":"\ud83d"}""");

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(400, (int)answer.StatusCode);
    }

    private async Task<string> DoneAsync(string method, string path, string? body)
    {
        var (status, text) = await server.SendAsync(method, path, Key, body);
        Assert.True(status is 200 or 201, $"{method} {path}: {status} {text}");
        return text;
    }

    private async Task<string> ReadAsync(string path, string format)
    {
        using var client = new HttpClient { BaseAddress = server.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Authorization", Key);
        request.Headers.TryAddWithoutValidation("Accept", format);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
