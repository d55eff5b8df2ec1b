using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>What readers send to a run, natively.</summary>
public sealed class NativeInputTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task An_input_is_answered_with_its_index_and_read_in_all_three_media_types()
    {
        var run = await api.RegisterAsync();
        Assert.Equal((0, 1), await SendAsync(run, """{"approved": true}"""));
        Assert.Equal((1, 2), await SendAsync(run, "\"später\""));

        using (var page = await api.SendAsync(HttpMethod.Get, Path(run) + "?startIndex=1&limit=5", headers: ("Accept", Api.Json)))
            Assert.Contains("\"data\":\"später\"", await page.Content.ReadAsStringAsync(Api.Cancellation), StringComparison.Ordinal);
        using (var lines = await api.SendAsync(HttpMethod.Get, Path(run) + "?timeoutInSeconds=1", headers: ("Accept", Api.Lines)))
            Assert.Contains("""{"index":0,"data":{"approved": true}}""", await lines.Content.ReadAsStringAsync(Api.Cancellation), StringComparison.Ordinal);
        using var live = await SseReader.OpenAsync(api, Path(run) + "?startIndex=-1");
        Assert.Equal(new SseEvent("1", null, "\"später\""), await live.NextAsync());
        Assert.Equal("caught-up", (await live.NextAsync())!.Name);
        await SendAsync(run, "3");
        Assert.Equal(new SseEvent("2", null, "3"), await live.NextAsync());
        await api.CompleteAsync(run);
        Assert.Equal("end", (await live.NextAsync())!.Name);

        using var tail = await api.SendAsync(HttpMethod.Head, Path(run));
        Assert.Equal(("3", "closed"), (Api.Header(tail, NativeHeaders.NextIndex), Api.Header(tail, NativeHeaders.State)));
    }

    [Fact]
    public async Task Inputs_are_told_apart_from_what_the_run_writes()
    {
        var run = await api.RegisterAsync();
        await SendAsync(run, "\"in\"");
        await api.AppendAsync(run, "approval", "\"out\"");

        var listed = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams"), NativeJson.Default.StreamList);
        Assert.Equal([("$input:approval", "approval"), ("approval", null)], listed.Streams.Select(stream => (stream.Key, stream.Input)));
        Assert.Equal(["\"out\""], (await api.PageAsync(run, "approval")).Data);
        Assert.Equal(["\"in\""], (await api.PageAsync(run, "$input:approval")).Data);
    }

    [Fact]
    public async Task An_input_that_is_sent_again_is_delivered_once()
    {
        var run = await api.RegisterAsync();
        Assert.Equal((0, 1), await SendAsync(run, "1", (NativeHeaders.IdempotencyKey, "once")));
        Assert.Equal((0, 1), await SendAsync(run, "1", (NativeHeaders.IdempotencyKey, "once")));
        Assert.Equal((1, 2), await SendAsync(run, "2", Api.Producer("p", 0)));
        Assert.Equal((1, 2), await SendAsync(run, "2", Api.Producer("p", 0)));

        Assert.Equal(["1", "2"], (await api.PageAsync(run, "$input:approval")).Data);
    }

    [Fact]
    public async Task What_Triggers_clients_send_and_what_is_sent_natively_is_one_log()
    {
        var run = await api.RegisterAsync();
        using (var sent = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{run}/input/approval", """{"data":{"by":"trigger"}}"""))
            Assert.Equal(200, (int)sent.StatusCode);
        Assert.Equal((1, 2), await SendAsync(run, """{"by":"native"}"""));

        Assert.Equal(["""{"by":"trigger"}""", """{"by":"native"}"""], (await api.PageAsync(run, "$input:approval")).Data);
        using var request = api.Request(HttpMethod.Get, $"/realtime/v1/streams/{run}/input/approval", ("Timeout-Seconds", "1"), ("Accept", "text/event-stream"));
        using var answer = await api.Client.SendAsync(request, Api.Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Api.Cancellation);
        Assert.Contains("trigger", text, StringComparison.Ordinal);
        Assert.Contains("native", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", Api.Json, "run_completed", 409, "ended")]
    [InlineData("1", Api.Json, "invalid_request", 400, "v1")]
    [InlineData("1", Api.Json, "run_not_found", 404, "missing")]
    [InlineData("{", Api.Json, "invalid_json", 400, "open")]
    [InlineData("", Api.Json, "invalid_json", 400, "open")]
    [InlineData("1", "application/xml", "unsupported_media_type", 415, "open")]
    public async Task What_cannot_be_sent_is_refused_and_nothing_is_stored(string body, string type, string code, int status, string kind)
    {
        var run = Api.NewId();
        if (kind != "missing")
            using (await api.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new { id = run, streamsVersion = kind == "v1" ? "v1" : "v2" }))) { }
        if (kind == "ended") await api.CompleteAsync(run);

        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Path(run), body, type));

        Assert.Equal((code, status), (problem.Code, problem.Status));
        if (kind == "missing") return;
        var listed = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams"), NativeJson.Default.StreamList);
        Assert.All(listed.Streams, stream => Assert.Equal(0, stream.NextIndex));
    }

    [Theory]
    [InlineData("%01")]
    [InlineData("%FF")]
    [InlineData("a%0Ab")]
    public async Task A_name_that_cannot_be_one_is_refused(string name)
    {
        var run = await api.RegisterAsync();
        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/inputs/{name}", "1"));
        Assert.Equal(("invalid_stream_key", 400), (problem.Code, problem.Status));
    }

    [Fact]
    public async Task A_name_that_is_too_long_behind_its_prefix_and_a_value_that_is_too_large_are_refused()
    {
        var run = await api.RegisterAsync();
        var name = new string('n', 250);

        Assert.Equal(200, (int)(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/inputs/{name[1..]}", "1")).StatusCode);
        Assert.Equal("invalid_stream_key", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/inputs/{name}", "1"))).Code);
        Assert.Equal("chunk_too_large", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Path(run), $"\"{new string('x', 1024 * 1024)}\""))).Code);
    }

    private static string Path(string run) => $"/api/v1/runs/{run}/inputs/approval";

    private async Task<(long? First, long Next)> SendAsync(string run, string body, params (string Name, string? Value)[] headers)
    {
        var receipt = await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, Path(run), body, Api.Json, headers), NativeJson.Default.AppendReceipt);
        return (receipt.FirstIndex, receipt.NextIndex);
    }
}
