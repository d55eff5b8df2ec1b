using System.Globalization;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The limits of streams versions, set otherwise than by default, met through every dialect.</summary>
public sealed class VersionLimitTests(VersionLimitedServer limited) : IClassFixture<VersionLimitedServer>, IDisposable
{
    private readonly Api api = new(limited.Process.CreateClient());

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData(StreamsVersion.V1, 3, 100, 2)]
    [InlineData(StreamsVersion.V2, 4, 200, 2)]
    public async Task What_goes_beyond_a_limit_is_refused_with_its_value_stores_nothing_and_leaves_the_stream_readable(
        StreamsVersion version, int chunks, int bytes, int streams)
    {
        var run = await RegisterAsync(version);
        var numbers = Enumerable.Range(0, chunks).Select(i => i.ToString(CultureInfo.InvariantCulture)).ToList();
        foreach (var number in numbers) await api.AppendAsync(run, "chunks", number);
        await LimitRefusals.AssertAsync(api, run, "chunks", "9", $"{chunks}");
        Assert.Equal(numbers, (await api.PageAsync(run, "chunks")).Data);

        var half = $"\"{new string('x', bytes / 2)}\"";
        await api.AppendAsync(run, "bytes", half);
        await LimitRefusals.AssertAsync(api, run, "bytes", half, $"{bytes}");
        Assert.Equal([half], (await api.PageAsync(run, "bytes")).Data);

        await LimitRefusals.AssertAsync(api, run, "one-too-many", "1", $"{streams}");
        using var head = await api.HeadAsync(run, "one-too-many");
        Assert.Equal("0", Api.Header(head, NativeHeaders.NextIndex));
    }

    private async Task<string> RegisterAsync(StreamsVersion version)
    {
        var id = Api.NewId();
        using var answer = await api.SendAsync(
            HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{id}}"}""",
            headers: ("x-trigger-realtime-streams-version", version == StreamsVersion.V1 ? "v1" : "v2"));
        Assert.Equal(201, (int)answer.StatusCode);
        return id;
    }
}

/// <summary>A server whose streams versions have small limits of their own.</summary>
public sealed class VersionLimitedServer : IAsyncLifetime
{
    private TestBroker? broker;
    private ServerProcess? process;

    public ServerProcess Process => process!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        process = await ServerProcess.StartAsync(new ServerProcessOptions
        {
            Nats = broker.Url,
            Settings = new Dictionary<string, string>
            {
                ["RealtimeStreams__V1__MaxChunks"] = "3",
                ["RealtimeStreams__V1__MaxStreamBytes"] = "100",
                ["RealtimeStreams__V1__MaxStreams"] = "2",
                ["RealtimeStreams__V2__MaxChunks"] = "4",
                ["RealtimeStreams__MaxStreamBytes"] = "200",
                ["RealtimeStreams__V2__MaxStreams"] = "3",
                ["RealtimeStreams__V2__MaxActiveStreams"] = "2",
            },
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
