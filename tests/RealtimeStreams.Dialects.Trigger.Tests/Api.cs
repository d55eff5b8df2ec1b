using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

/// <summary>The calls that the published clients make, and the native ones that stand around them.</summary>
internal sealed class Api(ServerProcess server) : IDisposable
{
    private readonly HttpClient http = server.CreateClient();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => http.Dispose();

    public static string NewRun() => $"run_{Guid.NewGuid():N}";

    public async Task<string> RegisterAsync(object? more = null, string? id = null)
    {
        var run = id ?? NewRun();
        var fields = more is null ? [] : JsonSerializer.SerializeToElement(more).EnumerateObject().ToDictionary(field => field.Name, field => (object)field.Value);
        fields["id"] = run;
        using var answer = await http.PostAsync(new Uri("/api/v1/runs", UriKind.Relative), Json(JsonSerializer.Serialize(fields)), Cancellation);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return run;
    }

    public async Task CompleteAsync(string run, string outcome = "completed")
    {
        using var answer = await SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", $$"""{"outcome":"{{outcome}}"}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    public async Task StopAsync(string run, string reason)
    {
        using var answer = await SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/stop", JsonSerializer.Serialize(new { reason }));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    public async Task CloseAsync(string run, string key)
    {
        using var answer = await SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/streams/{key}/close", """{"outcome":"completed"}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>Writes chunks by the native API, each a line of JSON.</summary>
    public async Task WriteAsync(string run, string key, params string[] lines)
    {
        using var request = Request(HttpMethod.Post, $"/api/v1/runs/{run}/streams/{key}", null);
        request.Content = new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson");
        using var answer = await http.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>Reads the chunks of a stream by the native API.</summary>
    public async Task<IReadOnlyList<string>> PageAsync(string run, string key)
    {
        using var request = Request(HttpMethod.Get, $"/api/v1/runs/{run}/streams/{Uri.EscapeDataString(key)}", null);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var answer = await http.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var page = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        return [.. page.RootElement.GetProperty("chunks").EnumerateArray().Select(chunk => chunk.GetProperty("data").GetRawText())];
    }

    /// <param name="method">The method.</param>
    /// <param name="path">Sent as it is.</param>
    /// <param name="json">The body; null: none.</param>
    /// <param name="headers">Name and value, one after the other. An Authorization replaces the secret key; an empty one leaves it out.</param>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? json = null, params string[] headers) =>
        http.SendAsync(Request(method, path, json, headers), HttpCompletionOption.ResponseHeadersRead, Cancellation);

    /// <summary>The error's text, after its status was compared.</summary>
    public async Task<string> RefusedAsync(HttpStatusCode status, HttpMethod method, string path, string? json = null, params string[] headers)
    {
        using var answer = await SendAsync(method, path, json, headers);
        return await RefusedAsync(status, answer);
    }

    public static async Task<string> RefusedAsync(HttpStatusCode status, HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(status == answer.StatusCode, $"{answer.StatusCode}: {text}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        using var body = JsonDocument.Parse(text);
        var error = body.RootElement.GetProperty("error").GetString();
        Assert.False(string.IsNullOrEmpty(error));
        return error;
    }

    public Task<BatchReader> ReadAsync(string run, string key, params string[] headers) => BatchReader.OpenAsync(this, $"/realtime/v1/streams/{run}/{key}", headers);

    private HttpRequestMessage Request(HttpMethod method, string path, string? json, params string[] headers)
    {
        var target = new Uri(server.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(method, target);
        if (json is not null) request.Content = Json(json);
        for (var i = 0; i < headers.Length; i += 2)
        {
            if (headers[i] == "Authorization") request.Headers.Authorization = headers[i + 1] is "" ? new AuthenticationHeaderValue("None") : AuthenticationHeaderValue.Parse(headers[i + 1]);
            else Assert.True(request.Headers.TryAddWithoutValidation(headers[i], headers[i + 1]));
        }
        return request;
    }

    private static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");
}
