using System.Globalization;
using Microsoft.Extensions.Logging;
using NATS.Client.Core;
using NATS.Client.JetStream;
using RealtimeStreams.ChunkLog.Announcing;
using RealtimeStreams.ChunkLog.Appending;
using RealtimeStreams.ChunkLog.Following;
using RealtimeStreams.ChunkLog.Forwarding;
using RealtimeStreams.ChunkLog.Reading;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>A log that is connected: what <see cref="JetStreamChunkLog"/> works with once it has found its broker in order.</summary>
internal sealed class LogSession : IAsyncDisposable
{
    private static readonly Version OldestBroker = new(2, 12);

    private readonly BrokerLinks links;
    private readonly RecordPublisher publisher;
    private readonly Purges purges;
    private readonly NodeDirectory nodes;
    private readonly Erasures erasures;
    private int disposed;

    private LogSession(
        BrokerLinks links,
        RecordPublisher publisher,
        RecordGets gets,
        IndexSeek seek,
        Purges purges,
        Appenders appenders,
        Trimmer trimmer,
        TailHubs hubs,
        NodeDirectory nodes,
        INodeMessages messages,
        DurabilityClass durability,
        int maxChunkBytes,
        TimeProvider clock)
    {
        this.links = links;
        this.publisher = publisher;
        this.purges = purges;
        this.nodes = nodes;
        erasures = new Erasures(messages, nodes, clock, Drop);
        Gets = gets;
        Seek = seek;
        Lookup = new StreamLookup(gets, seek);
        Appenders = appenders;
        Expiry = new Expiry(gets, seek, appenders, trimmer, clock);
        Hubs = hubs;
        Durability = durability;
        MaxChunkBytes = maxChunkBytes;
    }

    public RecordGets Gets { get; }

    public IndexSeek Seek { get; }

    public StreamLookup Lookup { get; }

    public Appenders Appenders { get; }

    public Expiry Expiry { get; }

    public TailHubs Hubs { get; }

    public DurabilityClass Durability { get; }

    public int MaxChunkBytes { get; }

    public bool IsConnected => links.Publish.IsOpen && links.Read.IsOpen && links.Tail.IsOpen;

    /// <summary>Connects, checks the broker, makes the shards.</summary>
    /// <exception cref="InvalidOperationException">The broker cannot be used; the message says why and what to do.</exception>
    public static async Task<LogSession> StartAsync(
        BrokerLocation location,
        ChunkLogOptions options,
        NodeMessages messages,
        TimeProvider clock,
        LogTelemetry telemetry,
        ILoggerFactory loggers,
        CancellationToken stopping)
    {
        var links = await BrokerLinks.ConnectAsync(location.Url, loggers, stopping);
        try
        {
            var server = links.Publish.Connection.ServerInfo ?? throw new InvalidOperationException("The broker told nothing of itself.");
            if (!Version.TryParse(server.Version.Split('-')[0], out var version) || version < OldestBroker)
                throw new InvalidOperationException($"The broker is nats-server {server.Version}; this server needs {OldestBroker} or newer.");
            if (!server.JetStreamAvailable)
                throw new InvalidOperationException("The broker has JetStream switched off. Start nats-server with JetStream ('-js', or a jetstream block in its configuration).");

            var replicas = await new Shards(options, loggers.CreateLogger<Shards>()).EnsureAsync(new NatsJSContext(links.Read.Connection), stopping);
            var durability = await DurabilityProbe.ReadAsync(location.Monitoring, replicas, stopping);
            var replies = await ReplyMultiplexer.SubscribeAsync(links.Publish.Connection, "_RSA", stopping);
            var publisher = new RecordPublisher(links.Publish, replies, clock);
            var gets = new RecordGets(
                links.Read, await ReplyMultiplexer.SubscribeAsync(links.Read.Connection, "_RSG", stopping), clock, loggers.CreateLogger<RecordGets>())
            {
                Replicated = replicas > 1,
            };
            await messages.ConnectAsync(links.Tail, stopping);
            var nodes = new NodeDirectory(messages, clock);
            var forwarder = new Forwarder(links.Publish, replies, nodes, clock, options.ConfirmTimeout, loggers.CreateLogger<Forwarder>());
            var seek = new IndexSeek(gets);
            var purges = new Purges(links.Read, gets, telemetry, clock);
            var trimmer = new Trimmer(gets, seek, purges, clock, loggers.CreateLogger<Trimmer>(), stopping);
            var parts = new AppenderParts(
                publisher, new HeadLoader(gets, clock), trimmer, forwarder, telemetry, clock, options.ConfirmTimeout, loggers.CreateLogger<Appender>(), stopping);
            var appenders = new Appenders(parts, options);
            var hubs = new TailHubs(links.Tail, gets, options, clock, loggers.CreateLogger<TailHubs>(), stopping);
            await forwarder.StartAsync((stream, request) => appenders.AppendAsync(stream, request, stopping), stopping);
            await nodes.ArriveAsync(stopping);
            await links.Tail.Connection.PingAsync(stopping); // Answered once the broker has passed it on.
            telemetry.Observe(() => appenders.Count, () => appenders.QueuedBytes, () => hubs.Count, () => hubs.RingBytes, () => trimmer.Count);
            return new LogSession(links, publisher, gets, seek, purges, appenders, trimmer, hubs, nodes, messages, durability, LimitOf(options, server.MaxPayload), clock);
        }
        catch
        {
            await links.DisposeAsync();
            throw;
        }
    }

    public async Task EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        var (filter, shard) = SubjectMap.OfRun(environment, run);
        await purges.AllAsync(shard, filter, cancellationToken);
        await erasures.TellAsync(filter, cancellationToken);
    }

    /// <summary>Says goodbye, so that nobody waits for this node.</summary>
    private async Task LeaveAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        try
        {
            await nodes.LeaveAsync(limit.Token);
            await links.Tail.Connection.PingAsync(limit.Token); // Answered once it has gone out.
        }
        catch (Exception exception) when (exception is NatsException or OperationCanceledException or ObjectDisposedException)
        {
            // The others notice after a while.
        }
    }

    private void Drop(string filter)
    {
        Appenders.Doubt(filter);
        Hubs.Erase(filter);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1) return;
        erasures.Dispose();
        await LeaveAsync();
        nodes.Dispose();
        Appenders.Dispose();
        publisher.Dispose();
        Hubs.Dispose();
        Gets.Dispose();
        await links.DisposeAsync();
    }

    private static int LimitOf(ChunkLogOptions options, int maxPayload)
    {
        var room = maxPayload - RecordLayout.MaxOverhead;
        if (room < RecordLayout.SoftBytes)
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"The broker's max_payload is {maxPayload} bytes; this server needs {RecordLayout.SoftBytes + RecordLayout.MaxOverhead} or more."));
        return Math.Min(options.MaxChunkBytes, room);
    }
}
