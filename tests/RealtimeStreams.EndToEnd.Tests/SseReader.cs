namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>An event as it came.</summary>
internal sealed record SseEvent(string? Id, string? Name, string Data);

/// <summary>A read of server-sent events that is going on.</summary>
internal sealed class SseReader : IDisposable
{
    private readonly HttpResponseMessage response;
    private readonly StreamReader lines;

    private SseReader(HttpResponseMessage response, StreamReader lines)
    {
        this.response = response;
        this.lines = lines;
    }

    public HttpResponseMessage Response => response;

    public static async Task<SseReader> OpenAsync(Api api, string path, params (string Name, string? Value)[] headers)
    {
        return await OfAsync(await api.SendAsync(HttpMethod.Get, path, headers: [("Accept", "text/event-stream"), .. headers]));
    }

    /// <summary>Reads an answer, which is from then on its own.</summary>
    public static async Task<SseReader> OfAsync(HttpResponseMessage response)
    {
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new SseReader(response, new StreamReader(await response.Content.ReadAsStreamAsync(Api.Cancellation)));
    }

    /// <summary>The next event with data; null when the answer has ended. Comments and retry fields are passed over.</summary>
    public async Task<SseEvent?> NextAsync()
    {
        string? id = null, name = null, data = null;
        while (await lines.ReadLineAsync(Api.Cancellation) is { } line)
        {
            if (line.Length == 0)
            {
                if (data is not null) return new SseEvent(id, name, data);
                continue;
            }
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            else Assert.True(line[0] == ':' || line.StartsWith("retry: ", StringComparison.Ordinal), $"No line of an event: {line}");
        }
        return null;
    }

    /// <summary>All events up to and with the first of that name.</summary>
    public async Task<List<SseEvent>> UntilAsync(string name)
    {
        var events = new List<SseEvent>();
        while (await NextAsync() is { } next)
        {
            events.Add(next);
            if (next.Name == name) return events;
        }
        Assert.Fail($"The answer ended without the event {name}, after: {string.Join(", ", events)}");
        return events;
    }

    /// <summary>All events up to the end of the answer.</summary>
    public async Task<List<SseEvent>> RestAsync()
    {
        var events = new List<SseEvent>();
        while (await NextAsync() is { } next) events.Add(next);
        return events;
    }

    public void Dispose()
    {
        lines.Dispose();
        response.Dispose();
    }
}
