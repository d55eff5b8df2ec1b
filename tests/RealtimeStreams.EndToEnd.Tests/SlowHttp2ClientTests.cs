using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Over HTTP/2 many share a connection, as behind a proxy: who is slow loses his own request, and the others go on.</summary>
public sealed class SlowHttp2ClientTests : IClassFixture<ImpatientServer>, IDisposable
{
    // A session's frame of one record.
    private static readonly byte[] append = [0, 0, 6, 0, 0x0A, 3, 0x1A, 1, (byte)'1'];

    private readonly ServerProcess server;
    private readonly Api api;
    private readonly Http2Connection connection;

    public SlowHttp2ClientTests(ImpatientServer impatient)
    {
        server = impatient.Process;
        api = new Api(impatient.Process.CreateClient());
        connection = new Http2Connection(impatient.Process);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        api.Dispose();
        connection.Dispose();
    }

    [Fact]
    public async Task Only_the_request_of_a_stalled_reader_is_ended_and_the_connection_goes_on()
    {
        var run = await ImpatientServer.FillAsync(api);
        using var stalled = await ReadAsync(run);

        // Its body is not read. Others on the same connection are served all the time, and its place becomes free.
        await Until.TrueAsync(() => "The place is still taken.", async () =>
        {
            using var told = await connection.SendAsync(HttpMethod.Get, "/api/v1/runs/" + run);
            Assert.Equal(200, (int)told.StatusCode);
            using var next = await api.SendAsync(HttpMethod.Get, Api.StreamPath(run), headers: ("Accept", "text/event-stream"));
            return next.IsSuccessStatusCode;
        }, TimeSpan.FromSeconds(60));
        var body = await stalled.Content.ReadAsStreamAsync(Cancelled);
        await Assert.ThrowsAnyAsync<Exception>(() => body.CopyToAsync(Stream.Null, Cancelled));
        Assert.Equal(1, connection.Connects);
    }

    [Fact]
    public async Task Only_the_requests_are_ended_whose_whole_bodies_trickle_and_what_is_open_ended_may_be_silent()
    {
        var run = await api.RegisterAsync();
        using var live = await ReadAsync(run);
        using var lines = new StreamReader(await live.Content.ReadAsStreamAsync(Cancelled));
        using var open = new OpenBody(Api.Lines);
        var writing = connection.SendAsync(HttpMethod.Post, Api.StreamPath(run), open);
        await open.WriteAsync("1\n");
        var slow = new List<(string Path, OpenBody Body, Task<HttpResponseMessage> Answer)>();
        foreach (var (path, type) in ((string, string)[])
            [(Api.StreamPath(run, "slow"), Api.Json), (Api.StreamPath(run, "slow") + "/close", Api.Json), ("/api/v1/runs", Api.Json),
            ($"/realtime/v1/streams/{run}/self/slow/append", "text/plain"), ($"/v1/streams/runs%2F{run}%2Fslow/records", Api.Json)])
        {
            var body = new OpenBody(type);
            slow.Add((path, body, connection.SendAsync(HttpMethod.Post, path, body)));
            await body.WriteAsync("{");
        }

        foreach (var (path, body, answer) in slow)
        {
            using (body)
            using (var ended = await answer)
            {
                var text = await ended.Content.ReadAsStringAsync(Cancelled);
                Assert.True((int)ended.StatusCode == 408, $"{path}: {(int)ended.StatusCode} {text}");
                Assert.Contains("\"code\":\"request_timeout\"", text, StringComparison.Ordinal);
            }
        }

        await open.WriteAsync("2\n"); // It has been silent for as long.
        open.End();
        using (var stored = await writing) Assert.Equal(200, (int)stored.StatusCode);
        var told = "";
        while (!told.Contains("data: 2", StringComparison.Ordinal)) told += await lines.ReadLineAsync(Cancelled) ?? throw new EndOfStreamException(told);
        Assert.Equal(1, connection.Connects);
        using var head = await api.HeadAsync(run, "slow");
        Assert.Equal("0", Api.Header(head, NativeHeaders.NextIndex));
    }

    [Fact]
    public async Task An_append_session_whose_acks_nobody_reads_is_ended_and_its_place_is_free()
    {
        var run = await api.RegisterAsync();
        var path = $"/v1/streams/runs%2F{run}%2Fdefault/records";
        var token = await IssueAsync($"append:streams:{run}/default");
        (string, string)[] headers = [("authorization", $"Bearer {token}"), ("content-type", "s2s/proto")];
        using var closed = await RawHttp2.ConnectAsync(server, closed: true);
        await closed.PostAsync(1, path, headers);
        // The web server keeps 4 KiB of an answer that has no window: a hundred acks.
        await closed.SendDataAsync(1, [.. Enumerable.Repeat(append, 500).SelectMany(bytes => bytes)]);

        var reset = await closed.NextAsync(Http2Frame.Reset, Http2Frame.GoAway).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);

        Assert.Equal((Http2Frame.Reset, 1), (reset?.Type, reset?.Stream));
        Assert.InRange((await api.PageAsync(run, "default")).NextIndex, 1, 499);
        await Until.TrueAsync(() => "The place is still taken.", async () =>
        {
            using var next = new Http2Connection(server, token);
            using var body = new OpenBody("s2s/proto");
            using var answer = await next.SendAsync(HttpMethod.Post, path, body);
            return answer.IsSuccessStatusCode;
        });
        // The connection goes on.
        await closed.GetAsync(3, "/alive");
        Assert.Equal(3, (await closed.NextAsync(Http2Frame.Headers))?.Stream);
    }

    [Theory]
    [InlineData("/api/v1/runs/{run}")]
    [InlineData("/api/v3/runs/{run}")]
    [InlineData("/realtime/v1/runs/{run}?offset=-1")]
    [InlineData("/api/v1/runs/{run}/streams/default")]
    [InlineData("/v1/streams/runs%2F{run}%2Fdefault/records?seq_num=0")]
    public async Task Only_the_request_of_a_whole_answer_that_nobody_takes_is_ended_and_its_place_is_free(string path)
    {
        var run = Api.NewId();
        using (var made = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{run}}","triggered":true,"taskId":"t","payload":"{{new string('x', 30_000)}}"}"""))
            Assert.Equal(201, (int)made.StatusCode);
        await api.AppendAsync(run, "default", $"\"{new string('x', ImpatientServer.ChunkBytes)}\"");
        path = path.Replace("{run}", run, StringComparison.Ordinal);
        var token = path.StartsWith("/v1/", StringComparison.Ordinal) ? await IssueOfS2Async($"runs/{run}/default") : await IssueAsync($"read:runs:{run}");
        var credential = $"Bearer {token}";
        using var closed = await RawHttp2.ConnectAsync(server, closed: true);
        await closed.GetAsync(1, path, ("authorization", credential), ("accept", Api.Json));
        Assert.Equal(1, (await closed.NextAsync(Http2Frame.Headers))?.Stream); // The answer has begun.

        var reset = await closed.NextAsync(Http2Frame.Reset, Http2Frame.GoAway).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);

        Assert.Equal((Http2Frame.Reset, 1), (reset?.Type, reset?.Stream));
        await closed.GetAsync(3, "/alive");
        Assert.Equal(3, (await closed.NextAsync(Http2Frame.Headers))?.Stream);
        await Until.TrueAsync(() => "The place is still taken.", async () =>
        {
            using var next = await api.SendAsync(HttpMethod.Get, path, headers: [("Authorization", credential), ("Accept", Api.Json)]);
            return next.IsSuccessStatusCode;
        });
        Assert.DoesNotContain(server.Log, line => line.Contains("fail:", StringComparison.Ordinal));
    }

    private async Task<string> IssueOfS2Async(string stream)
    {
        var body = $$$"""{"id":"t","scope":{"basins":{"prefix":""},"streams":{"exact":"{{{stream}}}"},"ops":["read"]}}""";
        using var issued = await api.SendAsync(HttpMethod.Post, "/v1/access-tokens", body);
        var text = await issued.Content.ReadAsStringAsync(Cancelled);
        Assert.True(issued.IsSuccessStatusCode, text);
        using var token = JsonDocument.Parse(text);
        return token.RootElement.GetProperty("access_token").GetString()!;
    }

    private async Task<string> IssueAsync(string scope) =>
        (await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/tokens", $$"""{"scopes":["{{scope}}"]}"""), NativeJson.Default.TokenInfo)).Token;

    /// <summary>Takes the one place that a live reader has here.</summary>
    private async Task<HttpResponseMessage> ReadAsync(string run)
    {
        HttpResponseMessage? opened = null;
        await Until.TrueAsync(() => "The place of the test before is still taken.", async () =>
        {
            var answer = await connection.SendAsync(HttpMethod.Get, Api.StreamPath(run), accept: "text/event-stream");
            if (answer.IsSuccessStatusCode) opened = answer;
            else answer.Dispose();
            return opened is not null;
        });
        return opened!;
    }
}
