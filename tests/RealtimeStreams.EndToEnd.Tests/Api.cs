using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The native API as bytes on the wire: what a program without our client would send.</summary>
internal sealed class Api(HttpClient client) : IDisposable
{
    public const string Json = "application/json";
    public const string Lines = "application/x-ndjson";

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public HttpClient Client => client;

    public static string NewId(string kind = "run") => $"{kind}-{Guid.NewGuid():N}";

    public static string StreamPath(string run, string key = "default") => $"/api/v1/runs/{Uri.EscapeDataString(run)}/streams/{Uri.EscapeDataString(key)}";

    /// <summary>Registers a run of a new id and returns the id.</summary>
    public async Task<string> RegisterAsync(string? parent = null)
    {
        var id = NewId();
        using var response = await SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new RegisterRun(id, ParentRunId: parent), NativeJson.Default.RegisterRun));
        Assert.Equal(201, (int)response.StatusCode);
        return id;
    }

    /// <param name="method">The method.</param>
    /// <param name="path">The path as it goes on the wire; nothing of it is unescaped or escaped.</param>
    /// <param name="body">The body.</param>
    /// <param name="contentType">The body's media type.</param>
    /// <param name="headers">Names and values; a null value is left out.</param>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? body = null, string contentType = Json, params (string Name, string? Value)[] headers)
    {
        using var request = Request(method, path, headers);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType.Length > 0) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    public HttpRequestMessage Request(HttpMethod method, string path, params (string Name, string? Value)[] headers)
    {
        var target = new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, target);
        foreach (var (name, value) in headers)
        {
            if (value is null) continue;
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    public async Task<AppendReceipt> AppendAsync(string run, string key, string body, string contentType = Json, params (string Name, string? Value)[] headers) =>
        await ReadAsync(await SendAsync(HttpMethod.Post, StreamPath(run, key), body, contentType, headers), NativeJson.Default.AppendReceipt);

    /// <summary>All chunks of a stream, as one page.</summary>
    public async Task<Page> PageAsync(string run, string key, string query = "?limit=10000")
    {
        using var response = await SendAsync(HttpMethod.Get, StreamPath(run, key) + query, headers: ("Accept", Json));
        Assert.Equal(200, (int)response.StatusCode);
        using var page = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        var root = page.RootElement;
        return new Page(
            [.. root.GetProperty("chunks").EnumerateArray().Select(chunk => (chunk.GetProperty("index").GetInt64(), chunk.GetProperty("data").GetRawText()))],
            root.GetProperty("firstIndex").GetInt64(),
            root.GetProperty("nextIndex").GetInt64(),
            root.GetProperty("state").GetString()!,
            root.TryGetProperty("outcome", out var outcome) ? outcome.GetString() : null,
            root.GetProperty("caughtUp").GetBoolean());
    }

    public Task<SseReader> OpenSseAsync(string run, string key, string query = "", params (string Name, string? Value)[] headers) =>
        SseReader.OpenAsync(this, StreamPath(run, key) + query, headers);

    public async Task<HttpResponseMessage> HeadAsync(string run, string key, params (string Name, string? Value)[] headers) =>
        await SendAsync(HttpMethod.Head, StreamPath(run, key), headers: headers);

    public async Task CompleteAsync(string run, string outcome = "completed")
    {
        using var response = await SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", $"{{\"outcome\":\"{outcome}\"}}");
        Assert.Equal(200, (int)response.StatusCode);
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> contract)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
            return JsonSerializer.Deserialize(text, contract)!;
        }
    }

    public static async Task<Problem> ReadProblemAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            var problem = JsonSerializer.Deserialize(text, NativeJson.Default.Problem)!;
            Assert.Equal((int)response.StatusCode, problem.Status);
            return problem;
        }
    }

    public static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    public static (string Name, string? Value)[] Producer(string id, long sequence, int epoch = 0) =>
    [
        (NativeHeaders.ProducerId, id),
        (NativeHeaders.ProducerEpoch, epoch.ToString(CultureInfo.InvariantCulture)),
        (NativeHeaders.ProducerSequence, sequence.ToString(CultureInfo.InvariantCulture)),
    ];

    public void Dispose() => client.Dispose();
}

/// <summary>An answer of a read with <c>Accept: application/json</c>.</summary>
internal sealed record Page(
    IReadOnlyList<(long Index, string Data)> Chunks, long FirstIndex, long NextIndex, string State, string? Outcome, bool CaughtUp)
{
    public IEnumerable<string> Data => Chunks.Select(chunk => chunk.Data);
}
