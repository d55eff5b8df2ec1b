namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>What the web server refuses by itself, before any of the product's code runs: it says nothing but the status, and leaves nothing open.</summary>
public sealed class WebServerRefusalTests(SharedServer shared)
{
    private const int HeaderLimit = 32 * 1024;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, int> Refused => new()
    {
        { "the first line is too long", $"GET /{new string('x', 9000)} HTTP/1.1\r\nHost: x\r\n\r\n", 414 },
        { "a header is too long", $"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: {new string('x', 40_000)}\r\n\r\n", 431 },
        { "too many headers", $"GET /health HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, 120).Select(i => $"X-{i}: 1\r\n"))}\r\n", 431 },
        { "no first line", "NONSENSE\r\n\r\n", 400 },
        { "no host", "GET /health HTTP/1.1\r\n\r\n", 400 },
        { "no header", "GET /health HTTP/1.1\r\nHost: x\r\nno header: 1\r\n\r\n", 400 },
        { "another coding", "POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400 },
        { "another version", "GET /health HTTP/1.7\r\nHost: x\r\n\r\n", 505 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Over_HTTP1_it_is_the_status_without_a_body_and_the_connection_is_closed(string what, string request, int status)
    {
        var answer = await RawAnswer.ToAsync(shared.Process, request, Cancelled); // Returns when the server has closed the connection.

        Assert.True(answer.Status == status, $"{what}: {answer.Status}");
        Assert.Equal("", answer.Body);
        Assert.Equal(["Content-Length: 0", "Connection: close"], answer.Headers.Where(header => !header.StartsWith("Date: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Over_HTTP2_it_ends_the_request_and_the_others_on_the_connection_go_on()
    {
        using var connection = await RawHttp2.ConnectAsync(shared.Process);

        await connection.GetAsync(1, "/health", ("x-long", new string('x', HeaderLimit + 8000)));
        var wide = await connection.NextAsync(Http2Frame.Headers, Http2Frame.Reset, Http2Frame.GoAway);
        Assert.Equal((Http2Frame.Headers, 1, true), (wide!.Type, wide.Stream, wide.EndsStream));
        Assert.Contains("431", wide.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("server", wide.Text, StringComparison.OrdinalIgnoreCase);

        await connection.GetAsync(3, "/" + new string('x', 9000));
        var far = await connection.NextAsync(Http2Frame.Headers, Http2Frame.Reset, Http2Frame.GoAway);
        Assert.Equal((Http2Frame.Reset, 3), (far!.Type, far.Stream));

        await connection.GetAsync(5, "/health");
        var well = await connection.NextAsync(Http2Frame.Headers, Http2Frame.Reset, Http2Frame.GoAway);
        Assert.Equal((Http2Frame.Headers, 5), (well!.Type, well.Stream));
        Assert.Contains("nosniff", well.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_HTTP2_headers_of_more_than_twice_the_limit_end_the_connection()
    {
        using var connection = await RawHttp2.ConnectAsync(shared.Process);

        await connection.GetAsync(1, "/health", ("x-long", new string('x', 2 * HeaderLimit)), ("x-more", new string('x', 2000)));

        Assert.Equal(Http2Frame.GoAway, (await connection.NextAsync(Http2Frame.Headers, Http2Frame.Reset, Http2Frame.GoAway))!.Type);
        Assert.Null(await connection.NextAsync(Http2Frame.Headers));
    }
}
