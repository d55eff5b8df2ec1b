using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>One node's log on a real broker, with words for what tests do with it.</summary>
internal sealed class LogNode : IAsyncDisposable
{
    private readonly IHost host;

    private LogNode(IHost host) => this.host = host;

    public static readonly StreamLimits NoLimits = new(long.MaxValue, long.MaxValue);

    public IChunkLog Log => host.Services.GetRequiredService<IChunkLog>();

    public INodeMessages Messages => host.Services.GetRequiredService<INodeMessages>();

    /// <summary>Where the node's instruments are.</summary>
    public IMeterFactory Meters => host.Services.GetRequiredService<IMeterFactory>();

    /// <summary>The log from within.</summary>
    public LogSession Session => ((JetStreamChunkLog)Log).Session ?? throw new InvalidOperationException("The log has not started.");

    public static async Task<LogNode> StartAsync(string url, Action<ChunkLogOptions>? configure = null, TimeProvider? clock = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<IBrokerLocation>(new FixedLocation(url));
        if (clock is not null) builder.Services.AddSingleton(clock);
        builder.AddChunkLog();
        if (configure is not null) builder.Services.Configure(configure);
        var node = new LogNode(builder.Build());
        try
        {
            await node.host.StartAsync(TestContext.Current.CancellationToken);
            await Until.TrueAsync(() => "The log did not start.", () => node.HasStartedAsync());
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>It connects in the background, and may need longer than a call waits. Throws what keeps it from ever starting.</summary>
    private async Task<bool> HasStartedAsync()
    {
        try
        {
            await Log.FindAsync(NewStream(), TestContext.Current.CancellationToken);
            return true;
        }
        catch (LogUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Stops the log, as the end of the process does first.</summary>
    public Task StopAsync() => host.StopAsync(CancellationToken.None);

    public static StreamAddress NewStream(string key = "default") =>
        new(EnvironmentId.Parse("test"), RunId.Parse($"run_{Guid.NewGuid():N}"), StreamKey.Parse(key));

    public static ChunkBatch Batch(string? producer, uint epoch, long sequence, params string[] chunks)
    {
        var batch = new ChunkBatch { Producer = producer is null ? null : ProducerId.Parse(producer), Epoch = epoch, FirstSequence = sequence };
        foreach (var chunk in chunks) batch.Add(Encoding.UTF8.GetBytes(chunk));
        return batch;
    }

    /// <summary>Appends. The outcome comes without timestamps, which are the clock's.</summary>
    public Task<AppendOutcome> AppendAsync(StreamAddress stream, params string[] chunks) =>
        AppendAsync(stream, Batch(null, 0, 0, chunks));

    public async Task<AppendOutcome> AppendAsync(StreamAddress stream, ChunkBatch batch, StreamLimits? limits = null) =>
        await Log.AppendAsync(stream, batch, limits ?? NoLimits, TestContext.Current.CancellationToken) switch
        {
            AppendOutcome.Stored stored => stored with { FirstTimestamp = 0, LastTimestamp = 0 },
            var refused => refused,
        };

    public Task<CloseOutcome> CloseAsync(StreamAddress stream, Outcome outcome, ChunkBatch? last = null) =>
        Log.CloseAsync(stream, outcome, last, NoLimits, TestContext.Current.CancellationToken);

    /// <summary>All that is stored, checked to be dense.</summary>
    public async Task<List<string>> ReadAllAsync(StreamAddress stream, long from = 0)
    {
        var chunks = new List<string>();
        var cursor = new ChunkIndex(from);
        LogRecord? last = null;
        while (await Log.ReadStoredAsync(stream, cursor, last, TestContext.Current.CancellationToken) is { Count: > 0 } records)
        {
            foreach (var record in records)
            {
                Assert.True(record.FirstIndex <= cursor, $"There is a hole before {record.FirstIndex}: {cursor} was next.");
                for (var i = (int)(cursor.Value - record.FirstIndex.Value); i < record.Count; i++) chunks.Add(Encoding.UTF8.GetString(record.Chunk(i).Span));
                if (record.Count > 0) cursor = record.NextIndex;
                last = record;
            }
            if (last!.End is not null) break;
        }
        return chunks;
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

/// <summary>One broker for the tests that do not break it.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    public TestBroker Broker { get; private set; } = null!;

    internal LogNode Node { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Broker = await TestBroker.StartAsync();
        Node = await LogNode.StartAsync(Broker.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await Broker.DisposeAsync();
    }
}
