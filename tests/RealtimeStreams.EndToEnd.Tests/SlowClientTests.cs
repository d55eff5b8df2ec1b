using System.Net;
using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Clients that send slowly or take nothing lose their place, and nobody else does.</summary>
public sealed class SlowClientTests : IClassFixture<ImpatientServer>
{
    private readonly ServerProcess server;
    private readonly Api api;

    public SlowClientTests(ImpatientServer impatient)
    {
        server = impatient.Process;
        api = new Api(server.CreateClient());
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_whose_headers_do_not_come_is_ended()
    {
        await using var slow = await RawRequest.ConnectAsync(server.Port);
        await slow.SendAsync("GET /api/v1/runs HTTP/1.1\r\nHost: x\r\nAuthoriz");

        var answer = await slow.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal); // No body.
    }

    [Fact]
    public async Task A_whole_body_that_trickles_is_ended_with_408_and_stored_nowhere_while_an_open_body_may_be_silent()
    {
        var run = await api.RegisterAsync();
        await using var open = await RawRequest.PostLinesAsync(server, Api.StreamPath(run, "open"), []);
        await open.WriteChunkAsync("1\n");
        await using var slow = await RawRequest.ConnectAsync(server.Port);
        await slow.SendAsync(
            $"POST {Api.StreamPath(run, "slow")} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.SecretKey}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n\"x");

        var answer = await slow.ReadToEndAsync(); // Returns once the server has closed the connection.

        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"request_timeout\"", answer, StringComparison.Ordinal);
        await open.WriteChunkAsync("2\n"); // It has been silent for as long.
        await open.WriteChunkAsync("");
        Assert.StartsWith("HTTP/1.1 200", await open.ReadUntilAsync("\r\n"), StringComparison.Ordinal);
        Assert.Equal(["1", "2"], (await api.PageAsync(run, "open")).Data);
        using var head = await api.HeadAsync(run, "slow");
        Assert.Equal("0", Api.Header(head, NativeHeaders.NextIndex));
    }

    [Theory]
    [InlineData("/api/v1/runs/{run}/streams/default", "text/event-stream")]
    [InlineData("/api/v1/runs/{run}/streams/default", "application/x-ndjson")]
    [InlineData("/realtime/v1/streams/{run}/default", "text/event-stream")]
    [InlineData("/v1/streams/runs%2F{run}%2Fdefault/records?seq_num=0", "text/event-stream")]
    public async Task A_reader_that_takes_nothing_is_cut_off_and_its_place_is_free_while_one_that_reads_gets_everything(string path, string accept)
    {
        var run = await ImpatientServer.FillAsync(api);
        path = path.Replace("{run}", run, StringComparison.Ordinal);
        using var stalled = await StallAsync($"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.SecretKey}\r\nAccept: {accept}\r\n\r\n");
        using (var refused = await AskAsync(api, path, accept, 429)) Assert.Equal(429, (int)refused.StatusCode); // There is one place, and it is taken.

        using var reader = await AskAsync(api, path, accept, 200);

        await AssertGetsEverythingAsync(reader);
        // What lay in the buffers can still be read; then the connection is over, without the end that an answer has.
        var buffer = new byte[64 * 1024];
        long got = 0;
        try
        {
            for (int count; (count = await stalled.ReceiveAsync(buffer, Cancelled)) > 0;) got += count;
        }
        catch (SocketException)
        {
            // Reset.
        }
        Assert.InRange(got, 1, ImpatientServer.Chunks * (long)ImpatientServer.ChunkBytes - 1);
    }

    [Fact]
    public async Task Bodies_and_headers_beyond_the_settings_are_refused()
    {
        using var large = await api.SendAsync(HttpMethod.Post, Api.StreamPath(await api.RegisterAsync()) + "?batch=true", $"[\"{new string('x', 100_000)}\"]");
        Assert.Equal("body_too_large", (await Api.ReadProblemAsync(large)).Code);

        var many = Enumerable.Range(0, 30).Select(i => ($"X-Filler-{i}", (string?)"x")).ToArray();
        using var headers = await api.SendAsync(HttpMethod.Get, "/api/v1/runs", headers: many);
        Assert.Equal(431, (int)headers.StatusCode);
        using var wide = await api.SendAsync(HttpMethod.Get, "/api/v1/runs", headers: ("X-Filler", new string('x', 5000)));
        Assert.Equal(431, (int)wide.StatusCode);
        using var line = await api.SendAsync(HttpMethod.Get, "/api/v1/runs?tag=" + new string('x', 3000));
        Assert.Equal(414, (int)line.StatusCode);
    }

    /// <summary>A reader who has a place, has seen the first line of the answer, and takes nothing more.</summary>
    private async Task<Socket> StallAsync(string request)
    {
        Socket? found = null;
        var line = new byte[12];
        await Until.TrueAsync(() => $"The place of the test before is still taken: {Encoding.ASCII.GetString(line)}", async () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8192 };
            await socket.ConnectAsync(IPAddress.Loopback, server.Port, Cancelled);
            await socket.SendAsync(Encoding.ASCII.GetBytes(request), Cancelled);
            for (var got = 0; got < line.Length;) got += await socket.ReceiveAsync(line.AsMemory(got), Cancelled);
            if (line.AsSpan().SequenceEqual("HTTP/1.1 200"u8)) found = socket;
            else socket.Dispose();
            return found is not null;
        });
        return found!;
    }

    private static async Task<HttpResponseMessage> AskAsync(Api api, string path, string accept, int status)
    {
        HttpResponseMessage? found = null;
        var last = 0;
        await Until.TrueAsync(() => $"{path} answered {last}, not {status}.", async () =>
        {
            var answer = await api.SendAsync(HttpMethod.Get, path, headers: ("Accept", accept));
            last = (int)answer.StatusCode;
            if (last == status) found = answer;
            else answer.Dispose();
            return found is not null;
        }, TimeSpan.FromSeconds(60));
        return found!;
    }

    private static async Task AssertGetsEverythingAsync(HttpResponseMessage reader)
    {
        await using var body = await reader.Content.ReadAsStreamAsync(Cancelled);
        var buffer = new byte[64 * 1024];
        long filling = 0;
        while (filling < ImpatientServer.Chunks * (long)(ImpatientServer.ChunkBytes - 2))
        {
            var count = await body.ReadAsync(buffer, Cancelled);
            Assert.True(count > 0, $"The answer ended after {filling} bytes of chunks.");
            filling += buffer.AsSpan(0, count).Count((byte)'x');
        }
    }
}
