using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>What a program without a client library would send.</summary>
internal sealed class S2Caller : IDisposable
{
    private readonly SocketsHttpHandler handler = new();
    private readonly HttpClient client;
    private readonly Uri address;

    public S2Caller(ServerProcess server, string credential, bool http2, int? port = null)
    {
        address = new UriBuilder(server.Address) { Port = port ?? server.Port }.Uri;
        client = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (credential.Length > 0) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
    }

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static string NewName() => $"stream-{Guid.NewGuid():N}";

    public static string Records(string stream, string rest = "") => $"/v1/streams/{Uri.EscapeDataString(stream)}/records{rest}";

    public HttpRequestMessage Request(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var target = new Uri(address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, target) { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = Request(method, path, headers);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        return await SendAsync(request);
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public Task<Answer> AppendAsync(string stream, string body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, Records(stream), body, headers);

    /// <summary>Appends records of these bodies, and expects success.</summary>
    public async Task AppendTextAsync(string stream, params string[] bodies)
    {
        var answer = await AppendAsync(stream, JsonSerializer.Serialize(new { records = bodies.Select(body => new { body }) }));
        Assert.True(answer.Status == 200, answer.Text);
    }

    /// <summary>All bodies of a stream.</summary>
    public async Task<List<string>> BodiesAsync(string stream)
    {
        var answer = await GetAsync(Records(stream, "?seq_num=0"));
        Assert.True(answer.Status == 200, answer.Text);
        return [.. answer.Json.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("body").GetString()!)];
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await client.SendAsync(request, Cancellation);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(Cancellation), response);
    }

    /// <summary>Opens an append session and returns once the answer's headers have come, before anything was sent.</summary>
    public async Task<Session> OpenAppendAsync(string stream, params (string Name, string Value)[] headers)
    {
        var body = new OpenBody();
        var request = Request(HttpMethod.Post, Records(stream), headers);
        request.Content = body;
        body.Headers.TryAddWithoutValidation("content-type", "s2s/proto");
        request.Headers.TryAddWithoutValidation("accept", "application/protobuf");
        return await Session.OpenAsync(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation), body);
    }

    /// <summary>Returns once nothing more is stored of what a session sends, because nobody reads its acks.</summary>
    /// <param name="stream">Its stream.</param>
    /// <param name="sent">How many batches of one record it sends: more than the windows on the way have room for acks.</param>
    public async Task WaitForStallAsync(string stream, long sent)
    {
        var (last, looks) = (0L, 0);
        await Until.TrueAsync(() => $"{last} batches are stored.", async () =>
        {
            var stored = (await GetAsync(Records(stream, "/tail"))).SeqNum("tail");
            Assert.True(stored < sent, "All of it was stored: the session does not wait for its acks to be read.");
            looks = stored > 0 && stored == last ? looks + 1 : 0;
            last = stored;
            return looks > 100; // Half a second, in which it stored one a millisecond before.
        });
    }

    /// <summary>Opens a read session.</summary>
    public async Task<Session> OpenReadAsync(string stream, string query)
    {
        var request = Request(HttpMethod.Get, Records(stream, query), ("accept", "application/protobuf"));
        request.Content = new ByteArrayContent([]);
        request.Content.Headers.TryAddWithoutValidation("content-type", "s2s/proto");
        return await Session.OpenAsync(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation), null);
    }

    public async Task<HttpResponseMessage> OpenEventsAsync(string stream, string query, params (string Name, string Value)[] headers)
    {
        var request = Request(HttpMethod.Get, Records(stream, query), [("accept", "text/event-stream"), .. headers]);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    public void Dispose()
    {
        client.Dispose();
        handler.Dispose();
    }
}

/// <summary>An answer, with its body as it came.</summary>
internal sealed record Answer(int Status, byte[] Body, HttpResponseMessage Response)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>An error's status and code.</summary>
    public (int Status, string? Code) Error => (Status, Json.TryGetProperty("code", out var code) ? code.GetString() : null);

    /// <summary>An ack's or a tail's number.</summary>
    public long SeqNum(string position) => Json.GetProperty(position).GetProperty("seq_num").GetInt64();
}
