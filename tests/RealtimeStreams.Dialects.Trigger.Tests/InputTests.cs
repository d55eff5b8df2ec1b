using System.Net;
using System.Text.Json;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class InputTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData("""{"data":{"approved":true,"by":"\"me\" \\ 日本"}}""", """{"approved":true,"by":"\"me\" \\ 日本"}""")]
    [InlineData("""{ "data" : "text" }""", "\"text\"")]
    [InlineData("""{"data":12.5e3,"more":1}""", "12.5e3")]
    [InlineData("""{"data":null}""", "null")]
    [InlineData("{}", "null")]
    public async Task What_is_sent_reaches_the_run_as_JSON_text(string body, string data)
    {
        var run = await api.RegisterAsync();

        using (var answer = await api.SendAsync(HttpMethod.Post, Path(run), body))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("""{"ok":true}""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        using var reader = await BatchReader.OpenAsync(api, Path(run), "Timeout-Seconds", "600");
        var record = Assert.Single(await reader.TakeAsync(1));
        Assert.Equal(data, JsonSerializer.Deserialize<string>(record.Data));
        Assert.Equal([data], await api.PageAsync(run, "$input:approval"));
    }

    [Fact]
    public async Task An_output_stream_of_the_same_name_is_another_one()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "approval", "\"out\"");
        using (var sent = await api.SendAsync(HttpMethod.Post, Path(run), """{"data":"in"}""")) Assert.Equal(HttpStatusCode.OK, sent.StatusCode);

        using var output = await api.ReadAsync(run, "approval");
        using var input = await BatchReader.OpenAsync(api, Path(run));

        Assert.Equal("\"out\"", Assert.Single(await output.TakeAsync(1)).Data);
        Assert.Equal("""
            "\"in\""
            """, Assert.Single(await input.TakeAsync(1)).Data);
    }

    [Fact]
    public async Task A_send_that_is_repeated_is_delivered_once()
    {
        var run = await api.RegisterAsync();
        foreach (var key in (string[])["k1", "k1", "k2"])
        {
            using var sent = await api.SendAsync(HttpMethod.Post, Path(run), """{"data":1}""", "x-trigger-request-idempotency-key", key);
            Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        }

        Assert.Equal(["1", "1"], await api.PageAsync(run, "$input:approval"));
    }

    [Fact]
    public async Task Sends_to_runs_that_take_no_inputs_are_refused()
    {
        var old = await api.RegisterAsync(new { streamsVersion = "v1" });
        var ended = await api.RegisterAsync();
        await api.CompleteAsync(ended);

        Assert.Contains("v2", await api.RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Post, Path(old), """{"data":1}"""), StringComparison.Ordinal);
        await api.RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Post, Path(ended), """{"data":1}""");
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[1]")]
    [InlineData("null")]
    [InlineData("""{"data":1""")]
    public async Task A_body_that_is_no_send_is_refused(string body) =>
        await api.RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Post, Path(await api.RegisterAsync()), body);

    [Fact]
    public async Task A_value_that_is_too_large_is_refused()
    {
        var run = await api.RegisterAsync();

        foreach (var length in (int[])[1024 * 1024, 2 * 1024 * 1024])
            await api.RefusedAsync(HttpStatusCode.RequestEntityTooLarge, HttpMethod.Post, Path(run), $$"""{"data":"{{new string('x', length)}}"}""");
    }

    private static string Path(string run) => $"/realtime/v1/streams/{run}/input/approval";
}
