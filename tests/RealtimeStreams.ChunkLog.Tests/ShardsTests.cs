using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>What the log asks of a broker, and what it says to one that does not give it.</summary>
public sealed class ShardsTests : IAsyncLifetime
{
    private TestBroker broker = null!;

    public async ValueTask InitializeAsync() => broker = await TestBroker.StartAsync();

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    [Theory]
    [InlineData("2", "16", "has format '2'")]
    [InlineData("1", "8", "belongs to 8 shards")]
    [InlineData(null, null, "an unknown number of")]
    public async Task Shards_of_another_layout_stop_the_start(string? format, string? count, string complaint)
    {
        await MakeShardAsync(config => config.Metadata = format is null ? null : new Dictionary<string, string> { ["realtimestreams.format"] = format, ["realtimestreams.shards"] = count! });
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => LogNode.StartAsync(broker.Url));
        Assert.Contains(complaint, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shard_that_persists_asynchronously_stops_the_start()
    {
        await MakeShardAsync(config => config.PersistMode = StreamConfigPersistMode.Async);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => LogNode.StartAsync(broker.Url));
        Assert.Contains("loses acknowledged chunks", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shard_that_would_drop_old_chunks_stops_the_start()
    {
        await MakeShardAsync(config => config.Discard = StreamConfigDiscard.Old);
        await Assert.ThrowsAsync<InvalidOperationException>(() => LogNode.StartAsync(broker.Url));
    }

    [Fact]
    public async Task Room_follows_the_settings_and_an_age_limit_of_an_earlier_version_is_lifted()
    {
        await MakeShardAsync(config => config.MaxAge = TimeSpan.FromDays(28));
        await using var node = await LogNode.StartAsync(broker.Url, options => options.MaxStoreBytes = 32 * 1024 * 1024);
        await using var connection = new NatsConnection(new NatsOpts { Url = broker.Url });
        var config = (await new NatsJSContext(connection).GetStreamAsync("RS00", cancellationToken: TestContext.Current.CancellationToken)).Info.Config;
        Assert.Equal((TimeSpan.Zero, 2 * 1024 * 1024), (config.MaxAge, config.MaxBytes));
    }

    [Fact]
    public async Task A_small_max_payload_lowers_the_largest_chunk_which_then_goes_through()
    {
        await using var small = await TestBroker.StartAsync(new TestBrokerOptions { MaxPayload = 1024 * 1024 }, TestContext.Current.CancellationToken);
        await using var node = await LogNode.StartAsync(small.Url);
        Assert.Equal((1024 * 1024) - RecordLayout.MaxOverhead, node.Log.MaxChunkBytes);
        var stream = NewStream(new string('k', 256));
        var chunk = new string('x', node.Log.MaxChunkBytes);
        Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, chunk));
        Assert.Equal([chunk], await node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_max_payload_too_small_for_a_record_stops_the_start()
    {
        await using var tiny = await TestBroker.StartAsync(new TestBrokerOptions { MaxPayload = 64 * 1024 }, TestContext.Current.CancellationToken);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => LogNode.StartAsync(tiny.Url));
        Assert.Contains("max_payload is 65536", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>Makes the first shard as this version would, but for one thing.</summary>
    private async Task MakeShardAsync(Action<StreamConfig> change)
    {
        var config = new StreamConfig(SubjectMap.ShardName(0), [.. SubjectMap.SubjectsOf(0)])
        {
            Storage = StreamConfigStorage.File,
            Discard = StreamConfigDiscard.New,
            AllowDirect = true,
            AllowMsgTTL = true,
            Republish = new Republish { Src = "rs.>", Dest = "rsl.rs.>" },
            Metadata = new Dictionary<string, string> { ["realtimestreams.format"] = "1", ["realtimestreams.shards"] = "16" },
        };
        change(config);
        await using var connection = new NatsConnection(new NatsOpts { Url = broker.Url });
        await new NatsJSContext(connection).CreateStreamAsync(config, TestContext.Current.CancellationToken);
    }
}
