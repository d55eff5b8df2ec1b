using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Read.Tests;

/// <summary>A node that reads: the real log, the real registry on SQLite, and Read.</summary>
internal sealed class ReadNode : IAsyncDisposable
{
    private static readonly StreamLimits NoLimits = new(long.MaxValue, long.MaxValue);

    private readonly TempFolder folder = new("read");
    private readonly IHost host;

    private ReadNode(string url, TimeProvider? clock)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("RealtimeStreams:DataDirectory", folder.FullPath)]);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddMetrics();
        if (clock is not null) builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<IBrokerLocation>(new FixedLocation(url));
        builder.AddChunkLog();
        builder.AddRunRegistry();
        builder.AddRead();
        host = builder.Build();
    }

    public static EnvironmentId Environment { get; } = EnvironmentId.Parse("default");

    public IChunkLog Log => host.Services.GetRequiredService<IChunkLog>();

    public IRunRegistry Registry => host.Services.GetRequiredService<IRunRegistry>();

    public IStreamReads Reads => host.Services.GetRequiredService<IStreamReads>();

    public static async Task<ReadNode> StartAsync(string url, TimeProvider? clock = null)
    {
        var node = new ReadNode(url, clock);
        await node.host.StartAsync(TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => "The log did not start.", () => node.HasStartedAsync());
        return node;
    }

    /// <summary>A stream without chunks, of a run that is registered.</summary>
    public async Task<StreamAddress> NewStreamAsync()
    {
        var run = RunId.Parse($"run_{Guid.NewGuid():N}");
        await Registry.RegisterAsync(Environment, new RunRegistration(run, null, null, null, [], StreamsVersion.V2), TestContext.Current.CancellationToken);
        return new StreamAddress(Environment, run, StreamKey.Default);
    }

    /// <summary>Appends one record of chunks that are their own indexes.</summary>
    public async Task AppendAsync(StreamAddress stream, long first, int count, int padding = 0)
    {
        var batch = new ChunkBatch();
        for (var i = 0; i < count; i++) batch.Add(Encoding.UTF8.GetBytes(TextOf(first + i, padding)));
        var outcome = Assert.IsType<AppendOutcome.Stored>(await Log.AppendAsync(stream, batch, NoLimits, TestContext.Current.CancellationToken));
        Assert.Equal(first, outcome.First?.Value);
    }

    public async Task CloseAsync(StreamAddress stream, Outcome outcome = Outcome.Completed) =>
        Assert.IsType<CloseOutcome.Closed>(await Log.CloseAsync(stream, outcome, null, NoLimits, TestContext.Current.CancellationToken));

    public async Task<IStreamRead> OpenAsync(StreamAddress stream, long startIndex = 0) =>
        Assert.IsType<ReadOpening.Opened>(await Reads.OpenAsync(stream, startIndex, TestContext.Current.CancellationToken)).Read;

    public static string TextOf(long index, int padding = 0) => index.ToString(CultureInfo.InvariantCulture) + new string(' ', padding);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        folder.Dispose();
    }

    private async Task<bool> HasStartedAsync()
    {
        try
        {
            await Log.FindAsync(new StreamAddress(Environment, RunId.Parse("none"), StreamKey.Default), TestContext.Current.CancellationToken);
            return true;
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

/// <summary>One broker and node for the tests that do not break them.</summary>
public sealed class ReadFixture : IAsyncLifetime
{
    public TestBroker Broker { get; private set; } = null!;

    internal ReadNode Node { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Broker = await TestBroker.StartAsync();
        Node = await ReadNode.StartAsync(Broker.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await Broker.DisposeAsync();
    }
}
