using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.Retention.Abandoning;
using RealtimeStreams.Retention.Expiring;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Retention.Tests;

/// <summary>A server without its web part: registry, log, ingest, reads and the sweeps, which are driven by the test.</summary>
internal sealed class RetentionNode : IAsyncDisposable
{
    public static readonly EnvironmentId Environment = EnvironmentId.Parse("default");

    private readonly IHost host;

    private RetentionNode(IHost host)
    {
        this.host = host;
        var meters = host.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        Counted = new MetricCollector<long>(meters, "RealtimeStreams.Retention", "realtimestreams.retention.abandoned.streams");
        Expired = new MetricCollector<long>(meters, "RealtimeStreams.Retention", "realtimestreams.retention.expired.chunks");
        Renewals = new MetricCollector<long>(meters, "RealtimeStreams.Ingest", "realtimestreams.ingest.lease.renewals");
    }

    public FakeLogCollector Logs => host.Services.GetFakeLogCollector();

    public IChunkLog Log => host.Services.GetRequiredService<IChunkLog>();

    public IRunRegistry Registry => host.Services.GetRequiredService<IRunRegistry>();

    public IWriterLeases Leases => host.Services.GetRequiredService<IWriterLeases>();

    public IAppender Appender => host.Services.GetRequiredService<IAppender>();

    public MetricCollector<long> Counted { get; }

    /// <summary>What the node told of open connections.</summary>
    public MetricCollector<long> Renewals { get; }

    /// <summary>What expired here.</summary>
    public MetricCollector<long> Expired { get; }

    public IStreamReads Reads => host.Services.GetRequiredService<IStreamReads>();

    public T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    public static async Task<RetentionNode> StartAsync(
        string broker, string folder, TimeProvider clock, string? database = null, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("RealtimeStreams:DataDirectory", folder), new("RealtimeStreams:RunRegistry:CommandTimeout", "00:01:00"), new("ConnectionStrings:registry", database)]);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<IBrokerLocation>(new FixedLocation(broker));
        builder.Logging.AddFakeLogging();
        builder.AddChunkLog();
        builder.AddRunRegistry();
        builder.AddIngest();
        builder.AddRead();
        builder.AddRetention();
        foreach (var sweeper in (Type[])[typeof(AbandonmentSweeper), typeof(ExpirySweeper), typeof(Receipts.ReceiptSweeper), typeof(Sweeping.Sweeper)])
            builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == sweeper));
        var node = new RetentionNode(builder.Build());
        await node.host.StartAsync(TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => "The log did not start.", () => node.Log.MaxChunkBytes > 0 && node.HasStarted());
        return node;
    }

    /// <summary>Lets the sweep take what it finds one step further.</summary>
    public Task SweepAsync() => host.Services.GetRequiredService<Abandonment>().SweepAsync(TestContext.Current.CancellationToken);

    /// <summary>Lets the other sweep give up what has expired. Whether there may be more.</summary>
    public Task<bool> ExpireAsync() => host.Services.GetRequiredService<Expiration>().SweepAsync(TestContext.Current.CancellationToken);

    public async Task<IngestOutcome> AppendAsync(StreamAddress stream, string chunk, TimeSpan? lease = null) =>
        await Appender.AppendAsync(
            stream,
            new AppendRequest(BodyKind.Value, WriterLease: lease),
            PipeReader.Create(new System.Buffers.ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(chunk))),
            TestContext.Current.CancellationToken);

    /// <summary>How a stream ended, as log and row have it; fails when they differ.</summary>
    public async Task<Outcome?> FindEndAsync(StreamAddress stream)
    {
        var end = (await Log.FindAsync(stream, TestContext.Current.CancellationToken))?.End;
        var rows = await Registry.ListStreamsAsync(stream.Environment, stream.Run, TestContext.Current.CancellationToken);
        Assert.Equal(end, rows.Single(row => row.Key == stream.Key).Outcome);
        return end;
    }

    public async ValueTask DisposeAsync()
    {
        Counted.Dispose();
        Expired.Dispose();
        Renewals.Dispose();
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
    }

    private bool HasStarted()
    {
        try
        {
            return Log.Durability is not null;
        }
        catch (LogUnavailableException)
        {
            return false;
        }
    }

    private sealed class FixedLocation(string url) : IBrokerLocation
    {
        public ValueTask<BrokerLocation> GetAsync(CancellationToken cancellationToken) => new(new BrokerLocation(url, null));
    }
}
