using System.Net;
using System.Text.Json;

namespace RealtimeStreams.Dialects.Trigger.Tests;

/// <summary>A record as a reader gets it, taken out of its envelope.</summary>
internal sealed record ReadRecord(long SeqNum, long Timestamp, string Data, string? Id, string Body);

/// <summary>Reads the v2 shape as the published clients do.</summary>
internal sealed class BatchReader(HttpResponseMessage answer, StreamReader body) : IDisposable
{
    private readonly Queue<ReadRecord> records = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public HttpResponseMessage Answer => answer;

    /// <summary>How many pings came.</summary>
    public int Pings { get; private set; }

    public static async Task<BatchReader> OpenAsync(Api api, string path, params string[] headers)
    {
        var answer = await api.SendAsync(HttpMethod.Get, path, null, ["Accept", "text/event-stream", .. headers]);
        if (answer.StatusCode != HttpStatusCode.OK) Assert.Fail($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync(Cancellation)}");
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("v2", answer.Headers.GetValues("X-Stream-Version").Single());
        Assert.True(answer.Headers.CacheControl is { NoCache: true, NoTransform: true });
        return new BatchReader(answer, new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation)));
    }

    public void Dispose()
    {
        body.Dispose();
        answer.Dispose();
    }

    /// <summary>The next record; null when the answer has ended cleanly.</summary>
    /// <exception cref="HttpIOException">The connection was cut off.</exception>
    public async Task<ReadRecord?> NextAsync()
    {
        while (records.Count == 0)
        {
            if (await EventAsync() is not { } batch) return null;
            foreach (var record in batch) records.Enqueue(record);
        }
        return records.Dequeue();
    }

    public async Task<IReadOnlyList<ReadRecord>> TakeAsync(int count)
    {
        var taken = new List<ReadRecord>();
        while (taken.Count < count) taken.Add(await NextAsync() ?? throw new InvalidOperationException($"The answer ended after {taken.Count} records."));
        return taken;
    }

    public async Task<IReadOnlyList<ReadRecord>> TakeAllAsync()
    {
        var taken = new List<ReadRecord>();
        while (await NextAsync() is { } record) taken.Add(record);
        return taken;
    }

    /// <summary>The records of the next event; null at the end.</summary>
    public async Task<IReadOnlyList<ReadRecord>?> EventAsync()
    {
        string? name = null, data = null;
        while (true)
        {
            var line = await body.ReadLineAsync(Cancellation);
            if (line is null) return null;
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            if (line.Length > 0) continue;
            if (name == "ping") Pings++;
            if (name == "batch") return Parse(data!);
            if (data is not null) return [];
        }
    }

    /// <summary>The next comment that begins so; the records before it are passed over.</summary>
    public async Task<string> CommentAsync(string beginning)
    {
        while (await body.ReadLineAsync(Cancellation) is { } line)
            if (line.StartsWith($": {beginning}", StringComparison.Ordinal)) return line[2..];
        throw new InvalidOperationException($"The answer ended without the comment {beginning}.");
    }

    private static List<ReadRecord> Parse(string data)
    {
        using var batch = JsonDocument.Parse(data);
        return [.. batch.RootElement.GetProperty("records").EnumerateArray().Select(record =>
        {
            var text = record.GetProperty("body").GetString()!;
            using var envelope = JsonDocument.Parse(text);
            return new ReadRecord(
                record.GetProperty("seq_num").GetInt64(),
                record.GetProperty("timestamp").GetInt64(),
                envelope.RootElement.GetProperty("data").GetRawText(),
                envelope.RootElement.GetProperty("id").GetString(),
                text);
        })];
    }
}
