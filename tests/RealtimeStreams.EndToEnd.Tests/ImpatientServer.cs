using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A server with small limits and little patience, and room for one live reader, and for one of each kind of request with a token.</summary>
public sealed class ImpatientServer : IAsyncLifetime
{
    /// <summary>A stream that no socket's buffers hold.</summary>
    public const int Chunks = 400;

    public const int ChunkBytes = 50_000;

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
                ["RealtimeStreams__Limits__StalledReader"] = "00:00:05",
                ["RealtimeStreams__Limits__HeadersTimeout"] = "00:00:01",
                ["RealtimeStreams__Limits__BodyGrace"] = "00:00:02",
                ["RealtimeStreams__Limits__Readers"] = "1",
                ["RealtimeStreams__Limits__TokenOpenBodies"] = "1",
                ["RealtimeStreams__Limits__TokenConcurrentRequests"] = "1",
                ["RealtimeStreams__Limits__MaxBodyBytes"] = "65536",
                ["RealtimeStreams__Limits__MaxHeaders"] = "25",
                ["RealtimeStreams__Limits__MaxHeaderBytes"] = "4096",
                ["RealtimeStreams__Limits__MaxRequestLineBytes"] = "2048",
            },
        });
    }

    /// <summary>Fills a stream of a new run, and ends it.</summary>
    internal static async Task<string> FillAsync(Api api)
    {
        var run = await api.RegisterAsync();
        var chunk = $"\"{new string('x', ChunkBytes - 2)}\"";
        for (var i = 0; i < Chunks; i++) await api.AppendAsync(run, "default", chunk);
        await api.CompleteAsync(run);
        return run;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
