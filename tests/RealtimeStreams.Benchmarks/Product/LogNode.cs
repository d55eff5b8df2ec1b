using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>The product's log inside this process, as the server holds it.</summary>
internal sealed class LogNode : IAsyncDisposable
{
    /// <summary>None that a benchmark reaches; the checks are made all the same.</summary>
    public static readonly StreamLimits Limits = new(long.MaxValue, long.MaxValue);

    private readonly IHost host;

    private LogNode(IHost host)
    {
        this.host = host;
        Log = host.Services.GetRequiredService<IChunkLog>();
    }

    public IChunkLog Log { get; }

    public static async Task<LogNode> StartAsync(TestBroker broker, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<IBrokerLocation>(new FixedLocation(broker.Url));
        builder.AddChunkLog();
        var node = new LogNode(builder.Build());
        await node.host.StartAsync(cancellationToken);
        return node;
    }

    public static StreamAddress NewStream() =>
        new(EnvironmentId.Parse("dev"), RunId.Parse($"run_{Guid.NewGuid():N}"), StreamKey.Parse("default"));

    /// <summary>Appends one chunk and waits for the confirmation.</summary>
    public Task AppendAsync(StreamAddress stream, byte[] chunk)
    {
        var batch = new ChunkBatch(chunk.Length);
        batch.Add(chunk);
        return AppendAsync(stream, batch);
    }

    /// <summary>Appends a batch and waits for the confirmation.</summary>
    public async Task AppendAsync(StreamAddress stream, ChunkBatch batch)
    {
        if (await Log.AppendAsync(stream, batch, Limits, CancellationToken.None) is AppendOutcome.Refused refused)
            throw new InvalidOperationException($"The log refused: {refused.Refusal.Detail}");
    }

    /// <summary>Fills a stream with records of <paramref name="perRecord"/> chunks, one after the other.</summary>
    public async Task FillAsync(StreamAddress stream, int chunks, int perRecord, int bytes)
    {
        var chunk = Chunks.OfBytes(bytes);
        for (var stored = 0; stored < chunks; stored += perRecord)
        {
            var batch = new ChunkBatch(perRecord * bytes);
            for (var i = 0; i < Math.Min(perRecord, chunks - stored); i++) batch.Add(chunk);
            await AppendAsync(stream, batch);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
    }

    private sealed class FixedLocation(string url) : IBrokerLocation
    {
        public ValueTask<BrokerLocation> GetAsync(CancellationToken cancellationToken) => new(new BrokerLocation(url, null));
    }
}
