using System.IO.Pipelines;
using System.Net;
using System.Text.Json;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class WritingTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task A_writer_of_a_v1_run_is_told_to_send_lines()
    {
        var run = await api.RegisterAsync(new { streamsVersion = "v1" });

        using var answer = await api.SendAsync(HttpMethod.Put, Path(run));

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("""{"version":"v1"}""", await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("X-S2", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Opening_a_stream_puts_it_on_the_runs_list()
    {
        var run = await api.RegisterAsync();
        using (var answer = await api.SendAsync(HttpMethod.Put, Path(run, "listed"))) Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);

        using var list = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams");

        Assert.Contains("\"listed\"", await list.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_become_chunks_as_they_arrive()
    {
        var run = await api.RegisterAsync();
        var pipe = new Pipe();
        using var content = new PipeContent(pipe.Reader);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Path(run), UriKind.Relative)) { Content = content };
        request.Headers.Add("X-Client-Id", "c0ffee01");
        request.Headers.Add("X-Resume-From-Chunk", "0");
        content.Headers.ContentType = new("application/json");
        using var client = server.Process.CreateClient();
        var answered = client.SendAsync(request, Cancellation);
        using var reader = await api.ReadAsync(run, "out");

        // Packets do not respect lines, nor letters.
        var text = "{\"n\":1}\n\n\"ä\"\n3\n\"rest\""u8.ToArray();
        for (var i = 0; i < text.Length; i += 5) await pipe.Writer.WriteAsync(text.AsMemory(i, Math.Min(5, text.Length - i)), Cancellation);
        Assert.Equal(["{\"n\":1}", "\"ä\"", "3"], (await reader.TakeAsync(3)).Select(record => record.Data));
        Assert.False(answered.IsCompleted);
        await pipe.Writer.CompleteAsync();

        using var answer = await answered;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("\"rest\"", Assert.Single(await reader.TakeAsync(1)).Data);
        Assert.Equal("3", await LastAsync(run, "c0ffee01"));
    }

    [Fact]
    public async Task Lines_that_are_sent_again_are_stored_once()
    {
        var run = await api.RegisterAsync();
        await IngestAsync(run, "aaaaaaaa", 0, "0\n1\n2\n");

        await IngestAsync(run, "aaaaaaaa", 0, "0\n1\n2\n3\n");
        await IngestAsync(run, "bbbbbbbb", 0, "\"b0\"\n");
        await IngestAsync(run, "aaaaaaaa", 3, "3\n4\n");
        await IngestAsync(run, "aaaaaaaa", 5, "5");

        Assert.Equal(["0", "1", "2", "3", "\"b0\"", "4", "5"], await api.PageAsync(run, "out"));
        Assert.Equal(("5", "0", "-1"), (await LastAsync(run, "aaaaaaaa"), await LastAsync(run, "bbbbbbbb"), await LastAsync(run, "cccccccc")));
    }

    [Fact]
    public async Task A_writer_that_skips_a_line_is_sent_back_to_ask()
    {
        var run = await api.RegisterAsync();
        await IngestAsync(run, "aaaaaaaa", 0, "0\n");

        using var answer = await SendLinesAsync(run, "aaaaaaaa", "5", "5\n");

        await Api.RefusedAsync(HttpStatusCode.ServiceUnavailable, answer);
        Assert.Equal(["0"], await api.PageAsync(run, "out"));
    }

    [Theory]
    [InlineData("aaaaaaaa", "-1")]
    [InlineData("aaaaaaaa", "x")]
    [InlineData("aaaaaaaa", "99999999999999999999")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789", "0")]
    public async Task A_writer_that_does_not_say_where_it_stands_is_refused(string client, string resume)
    {
        using var answer = await SendLinesAsync(await api.RegisterAsync(), client, resume, "0\n");

        await Api.RefusedAsync(HttpStatusCode.BadRequest, answer);
    }

    [Fact]
    public async Task A_line_that_is_no_JSON_ends_the_body_and_keeps_what_came_before()
    {
        var run = await api.RegisterAsync();

        using var answer = await SendLinesAsync(run, "aaaaaaaa", "0", "0\n{]\n2\n");

        await Api.RefusedAsync(HttpStatusCode.BadRequest, answer);
        Assert.Equal(["0"], await api.PageAsync(run, "out"));
    }

    [Fact]
    public async Task An_appended_body_is_a_string_whatever_it_looks_like()
    {
        var run = await api.RegisterAsync();

        foreach (var text in (string[])["{\"a\":1}", "plain\n\"text\"", "", "日本"])
        {
            using var answer = await api.SendAsync(HttpMethod.Post, Path(run) + "/append", text);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("""{"ok":true}""", await answer.Content.ReadAsStringAsync(Cancellation));
        }

        using var reader = await api.ReadAsync(run, "out");
        Assert.Equal(
            ["{\"a\":1}", "plain\n\"text\"", "", "日本"], (await reader.TakeAsync(4)).Select(record => JsonSerializer.Deserialize<string>(record.Data)));
    }

    [Fact]
    public async Task An_append_that_is_sent_again_is_stored_once()
    {
        var run = await api.RegisterAsync();
        foreach (var key in (string[])["k1", "k1", "k2", new string('x', 500), new string('x', 500)])
        {
            using var answer = await api.SendAsync(HttpMethod.Post, Path(run) + "/append", "once", "x-trigger-request-idempotency-key", key);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(["\"once\"", "\"once\"", "\"once\""], await api.PageAsync(run, "out"));
    }

    [Fact]
    public async Task A_part_keeps_the_id_that_its_writer_gave_it()
    {
        var run = await api.RegisterAsync();
        foreach (var id in (string[])["part 1 {}", "", new string('z', 64)])
        {
            using var answer = await api.SendAsync(HttpMethod.Post, Path(run) + "/append", "a", id.Length == 0 ? [] : ["X-Part-Id", id]);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        using var reader = await api.ReadAsync(run, "out");

        var records = await reader.TakeAsync(3);
        Assert.Equal(["part 1 {}", "#1", new string('z', 64)], records.Select(record => record.Id));
        Assert.Equal("""{"data":"a","id":"part 1 {}"}""", records[0].Body);
        Assert.Equal(["\"a\"", "\"a\"", "\"a\""], await api.PageAsync(run, "out"));
    }

    [Theory]
    [InlineData("a\"b")]
    [InlineData("a\\b")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_part_id_that_needs_escapes_or_is_too_long_is_refused(string id) =>
        Assert.Contains(
            "X-Part-Id",
            await api.RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Post, Path(await api.RegisterAsync()) + "/append", "a", "X-Part-Id", id),
            StringComparison.Ordinal);

    [Fact]
    public async Task A_chunk_that_is_too_large_is_refused()
    {
        var run = await api.RegisterAsync();

        await api.RefusedAsync(HttpStatusCode.RequestEntityTooLarge, HttpMethod.Post, Path(run) + "/append", new string('x', 1024 * 1024));

        Assert.Empty(await api.PageAsync(run, "out"));
    }

    [Theory]
    [InlineData("PUT", "")]
    [InlineData("POST", "")]
    [InlineData("POST", "/append")]
    public async Task What_has_ended_takes_nothing_more_and_says_so_for_good(string method, string more)
    {
        var ended = await api.RegisterAsync();
        await api.WriteAsync(ended, "out", "0");
        await api.CompleteAsync(ended);
        var closed = await api.RegisterAsync();
        await api.WriteAsync(closed, "out", "0");
        await api.CloseAsync(closed, "out");

        foreach (var run in (string[])[ended, closed])
            await api.RefusedAsync(HttpStatusCode.BadRequest, new HttpMethod(method), Path(run) + more, method == "PUT" ? null : "1", "X-Client-Id", "aaaaaaaa");
    }

    [Theory]
    [InlineData("PUT", "/self/out")]
    [InlineData("PUT", "/parent/out")]
    [InlineData("PUT", "/root/out")]
    [InlineData("POST", "/self/out")]
    [InlineData("HEAD", "/self/out")]
    [InlineData("POST", "/self/out/append")]
    [InlineData("POST", "/input/in")]
    [InlineData("GET", "/input/in")]
    public async Task A_run_that_is_not_there_is_not_found(string method, string rest)
    {
        using var answer = await api.SendAsync(new HttpMethod(method), $"/realtime/v1/streams/{Api.NewRun()}{rest}", method == "POST" ? """{"data":1}""" : null);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Parent_and_root_stand_for_the_runs_that_they_name()
    {
        var root = await api.RegisterAsync();
        var parent = await api.RegisterAsync(new { parentRunId = root });
        var run = await api.RegisterAsync(new { parentRunId = parent });
        foreach (var target in (string[])["self", "parent", "root"])
        {
            using var answer = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{run}/{target}/out/append", target);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        // Without a parent, a run is its own.
        using (var answer = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{root}/parent/out/append", "own")) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        Assert.Equal(["\"self\""], await api.PageAsync(run, "out"));
        Assert.Equal(["\"parent\""], await api.PageAsync(parent, "out"));
        Assert.Equal(["\"root\"", "\"own\""], await api.PageAsync(root, "out"));
    }

    [Fact]
    public async Task What_is_no_target_is_not_found()
    {
        var run = await api.RegisterAsync();

        using var answer = await api.SendAsync(HttpMethod.Put, $"/realtime/v1/streams/{run}/sibling/out");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static string Path(string run, string key = "out") => $"/realtime/v1/streams/{run}/self/{key}";

    private async Task IngestAsync(string run, string client, int resume, string lines)
    {
        using var answer = await SendLinesAsync(run, client, $"{resume}", lines);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private Task<HttpResponseMessage> SendLinesAsync(string run, string client, string resume, string lines) =>
        api.SendAsync(HttpMethod.Post, Path(run), lines, "X-Client-Id", client, "X-Resume-From-Chunk", resume, "X-Stream-Version", "v1");

    private async Task<string> LastAsync(string run, string client)
    {
        using var answer = await api.SendAsync(HttpMethod.Head, Path(run), null, "X-Client-Id", client, "X-Stream-Version", "v1");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("X-Last-Chunk-Index").Single();
    }
}
