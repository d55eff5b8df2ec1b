using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Requests that no client sends by mistake: they reach nothing that they do not name, put nothing into an answer, and cost the server nothing.</summary>
public sealed partial class HostileRequestTests(SharedServer server) : IDisposable
{
    private const string Smuggled = "smuggled";

    private readonly Api api = new(server.Process.CreateClient());

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => api.Dispose();

    /// <summary>Methods, targets ({0}: a run with a stream "secret" that nobody may touch by these), statuses.</summary>
    public static TheoryData<string, string, int> Detours => new()
    {
        { "DELETE", "/api/v1/runs/x/../{0}", 400 },
        { "DELETE", "/api/v1/runs/x/%2e%2e/{0}", 400 },
        { "DELETE", "/api/v1/runs/x/.%2E/{0}", 400 },
        { "DELETE", "/api/v1/runs/./{0}", 400 },
        { "DELETE", "/api/v1/runs/{0}/.", 400 },
        { "DELETE", "/api/v1/runs/{0}/streams/secret/../..", 400 },
        { "DELETE", "/v1/streams/x/../runs%2F{0}%2Fsecret", 400 },
        { "DELETE", "/api/v1/runs/..%2f{0}", 404 },
        { "DELETE", "/api/v1/runs/x%2F..%2F{0}", 404 },
        { "DELETE", "/api/v1/runs/{0}%2F", 404 },
        { "DELETE", "/api/v1/runs/{0}%20", 404 },
        { "DELETE", "/api/v1/runs//{0}", 404 },
        { "DELETE", "//api/v1/runs/{0}", 404 },
        { "DELETE", "/api/v1/runs\\{0}", 404 },
        { "DELETE", "/api/v1/runs/%2A", 404 },
        { "DELETE", "/api/v1/runs/%3E", 404 },
        { "DELETE", "/api/v1/runs/*", 404 },
        { "DELETE", "/api/v1/runs/>", 404 },
        { "DELETE", "/api/v1/runs/{0}%00", 400 },
        { "DELETE", "/api/v1/runs/{0}%0d%0a", 400 },
        { "DELETE", "/api/v1/runs/%C0%AE%C0%AE%2F{0}", 400 },
        { "POST", "/api/v1/runs/{0}/streams/x/../secret", 400 },
        { "POST", "/api/v1/runs/x/streams/../../{0}/streams/secret", 400 },
        { "POST", "/api/v1/runs/{0}/streams/x/%2e%2E/secret/close", 400 },
        { "POST", "/realtime/v1/streams/x/../{0}/self/secret/append", 400 },
        { "POST", "/realtime/v1/streams/{0}/other/secret/append", 404 },
        { "POST", "/v1/streams/x/../runs%2F{0}%2Fsecret/records", 400 },
    };

    [Theory]
    [MemberData(nameof(Detours))]
    public async Task A_path_reaches_only_what_it_spells(string method, string target, int status)
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "secret", "1");

        var answer = await SendAsync(method, target.Replace("{0}", run, StringComparison.Ordinal), "", "2");

        Assert.True(answer.Status == status, $"{answer.Status}: {answer.Body}");
        var page = await api.PageAsync(run, "secret");
        Assert.Equal(["1"], page.Data);
        Assert.Equal("open", page.State);
    }

    [Theory]
    [InlineData("*")]
    [InlineData(">")]
    [InlineData("*.*")]
    [InlineData("rs.*.>")]
    public async Task Erasing_a_run_that_is_called_like_a_wildcard_erases_nothing_else(string wildcard)
    {
        // As many as make each of the log's sixteen shards hold one of them.
        var others = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => api.RegisterAsync()));
        await Task.WhenAll(others.Select(run => api.AppendAsync(run, "s", "1")));
        using var registered = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new RegisterRun(wildcard), NativeJson.Default.RegisterRun));
        foreach (var key in (string[])[wildcard, "s"]) await api.AppendAsync(wildcard, key, "2");

        using var erased = await api.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{Uri.EscapeDataString(wildcard)}");

        Assert.True(erased.IsSuccessStatusCode, $"{erased.StatusCode}");
        foreach (var run in others) Assert.Equal(["1"], (await api.PageAsync(run, "s")).Data);
    }

    [Theory]
    [InlineData("X-Odd: a\rSet-Cookie: b=c\r\n")]
    [InlineData("X-Odd: a\0b\r\n")]
    [InlineData("X Odd: a\r\n")]
    [InlineData("X-Odd : a\r\n")]
    [InlineData(" X-Folded: a\r\n")]
    [InlineData(": a\r\n")]
    [InlineData("Content-Length: 1\r\nContent-Length: 2\r\n")]
    [InlineData("Content-Length: -1\r\n")]
    [InlineData("Content-Length: 1e1\r\n")]
    [InlineData("Transfer-Encoding: gzip\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n")]
    public async Task Headers_that_break_the_protocols_rules_are_refused(string header)
    {
        var answer = await SendAsItIsAsync("POST", "/api/v1/runs", header, "");

        Assert.True(answer.Status is 400 or 501, $"{answer.Status}: {answer.Body}");
        Assert.DoesNotContain(answer.Headers, line => line.StartsWith("Set-Cookie", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")]
    public async Task A_second_request_hidden_in_a_body_is_not_served(string lengths)
    {
        var id = Api.NewId(Smuggled);
        var hidden = $"POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.Process.SecretKey}\r\nContent-Type: application/json\r\nContent-Length: {id.Length + 9}\r\n\r\n{{\"id\":\"{id}\"}}";

        await SendAsItIsAsync("POST", "/api/v1/runs", lengths + "Content-Type: application/json\r\n", $"0\r\n\r\n{hidden}");

        using var found = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{id}");
        Assert.Equal(404, (int)found.StatusCode);
    }

    [Theory]
    [InlineData("r\u2028Set-Cookie: a=b")]
    [InlineData("r%0d%0aSet-Cookie: a=b")]
    [InlineData("r\";Set-Cookie: a=b")]
    [InlineData("r, Set-Cookie=ü😀")]
    public async Task What_a_client_names_adds_no_header_to_an_answer(string name)
    {
        var id = name + Api.NewId();
        var body = JsonSerializer.Serialize(new RegisterRun(id), NativeJson.Default.RegisterRun);
        var path = $"/api/v1/runs/{Uri.EscapeDataString(id)}/streams/{Uri.EscapeDataString(name)}";

        RawAnswer[] answers =
        [
            await SendAsync("POST", "/api/v1/runs", "", body),
            await SendAsync("POST", path, "", "1"),
            await SendAsync("HEAD", path, "", ""),
            await SendAsync("PUT", $"/realtime/v1/streams/{Uri.EscapeDataString(id)}/self/{Uri.EscapeDataString(name)}", "Content-Length: 0\r\n", ""),
        ];

        foreach (var answer in answers)
        {
            Assert.InRange(answer.Status, 200, 299);
            Assert.All(answer.Headers, line => Assert.Matches("^[A-Za-z0-9-]+: [\x20-\x7e]+$", line));
            Assert.DoesNotContain(answer.Headers, line => line.StartsWith("Set-Cookie", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task A_chunk_that_looks_like_events_is_one_chunk()
    {
        var run = await api.RegisterAsync();
        const string forged = "\n\nevent: end\ndata: {\"outcome\":\"completed\",\"nextIndex\":0}\n\nid: 77\r\rdata: 1\n\n";
        using var written = await api.SendAsync(
            HttpMethod.Post, $"/v1/streams/runs%2F{run}%2Fs/records", $$"""{"records":[{"body":{{JsonSerializer.Serialize(forged)}}},{"body":"[1,\n\n2]"}]}""");
        Assert.True(written.IsSuccessStatusCode, $"{written.StatusCode}");

        using var reader = await api.OpenSseAsync(run, "s");

        foreach (var (id, data) in ((string, string)[])[("0", forged), ("1", "")])
        {
            var chunk = await reader.NextAsync();
            Assert.Equal((id, null), (chunk!.Id, chunk.Name));
            if (data.Length > 0) Assert.Equal(data, JsonSerializer.Deserialize<string>(chunk.Data));
            else Assert.Equal("[1,  2]", chunk.Data);
        }
        Assert.Equal("caught-up", (await reader.NextAsync())!.Name);
    }

    /// <summary>Methods, targets, header lines, JSON bodies and what they are answered. A number in braces is that many letters.</summary>
    public static TheoryData<string, string, string, string, int> TooMuch => new()
    {
        { "GET", "/api/v1/runs?tag={20000}", "", "", 414 },
        { "GET", "/api/v1/runs/{4000}", "", "", 400 },
        { "POST", "/api/v1/runs/r/streams/{300}", "", "1", 400 },
        { "GET", "/api/v1/runs", "X-Large: {40000}\r\n", "", 431 },
        { "GET", "/api/v1/runs", string.Concat(Enumerable.Repeat("X-Many: 1\r\n", 200)), "", 431 },
        { "GET", "/api/v1/runs", "Cookie: {40000}\r\n", "", 431 },
        { "POST", "/api/v1/runs", "", """{"id":"{12000000}"}""", 413 },
        { "POST", "/api/v1/runs", "", """{"taskId":"{50000}"}""", 400 },
        { "POST", "/api/v1/runs", "", """{"id":"r","tags":["{500}"]}""", 400 },
        { "POST", "/api/v1/runs/claim", "", """{"worker":"{12000000}"}""", 413 },
        { "POST", "/api/v1/runs/{run}/complete", "", """{"outcome":"completed","output":"{12000000}"}""", 413 },
        { "POST", "/api/v1/runs/{run}/streams/s", "", "\"{12000000}\"", 413 },
        { "POST", "/api/v1/runs/{run}/streams/s/close", "", """{"finalChunk":"{12000000}"}""", 413 },
        { "POST", "/api/v1/tasks/t/trigger", "", """{"payload":"{12000000}"}""", 413 },
        { "POST", "/realtime/v1/streams/{run}/self/s/append", "", "\"{12000000}\"", 413 },
        { "POST", "/realtime/v1/streams/{run}/input/s", "", """{"data":"{12000000}"}""", 413 },
        { "POST", "/v1/streams", "", """{"stream":"{12000000}"}""", 422 },
        { "POST", "/v1/streams/runs%2F{run}%2Fs/records", "", """{"records":[{"body":"{12000000}"}]}""", 422 },
    };

    [Theory]
    [MemberData(nameof(TooMuch))]
    public async Task What_is_too_large_is_refused_and_stores_nothing(string method, string target, string headers, string body, int status)
    {
        var run = await api.RegisterAsync();

        var answer = await SendAsync(method, Grow(target.Replace("{run}", run, StringComparison.Ordinal)), Grow(headers), Grow(body));

        Assert.True(answer.Status == status, $"{answer.Status}: {answer.Body}");
        using var info = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}");
        var left = await Api.ReadAsync(info, NativeJson.Default.RunInfo);
        Assert.Equal(RunStatus.Open, left.Status);
        Assert.Empty(left.Streams!);
    }

    [GeneratedRegex(@"\{([0-9]+)\}")]
    private static partial Regex Sizes();

    private static string Grow(string text) => Sizes().Replace(text, size => new string('x', int.Parse(size.Groups[1].ValueSpan, CultureInfo.InvariantCulture)));

    private Task<RawAnswer> SendAsync(string method, string target, string headers, string body)
    {
        if (body.Length > 0) headers += string.Create(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n");
        return SendAsItIsAsync(method, target, headers, body);
    }

    private Task<RawAnswer> SendAsItIsAsync(string method, string target, string headers, string body) => RawAnswer.ToAsync(
        server.Process,
        $"{method} {target} HTTP/1.1\r\nHost: {server.Process.Address.Authority}\r\nAuthorization: Bearer {server.Process.SecretKey}\r\nConnection: close\r\n{headers}\r\n{body}",
        Cancelled);
}
