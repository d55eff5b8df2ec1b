using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>A server's registry, started on a database. Several on one database are several servers.</summary>
public sealed class TestNode : IAsyncDisposable
{
    public static readonly EnvironmentId Environment = EnvironmentId.Parse("default");

    private readonly IHost host;
    private readonly FakeLogCollector queryWarnings;

    private TestNode(IHost host, RecordingObserver observer, FakeLogCollector queryWarnings)
    {
        this.host = host;
        this.queryWarnings = queryWarnings;
        Observer = observer;
    }

    public IServiceProvider Services => host.Services;

    public IRunRegistry Registry => host.Services.GetRequiredService<IRunRegistry>();

    public RecordingObserver Observer { get; }

    public static async Task<TestNode> StartAsync(
        Dictionary<string, string?> settings, TimeProvider? clock = null, Action<IServiceCollection>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Test" });
        builder.Configuration.AddInMemoryCollection(settings);
        if (clock is not null) builder.Services.AddSingleton(clock);
        var queryWarnings = FakeLogCollector.Create(new FakeLogCollectorOptions
        {
            FilteredCategories = { "Microsoft.EntityFrameworkCore.Query" },
            FilteredLevels = { LogLevel.Warning, LogLevel.Error },
        });
        builder.Logging.AddProvider(new FakeLoggerProvider(queryWarnings));
        builder.AddRunRegistry();
        builder.Services.AddSingleton<RecordingObserver>();
        builder.Services.AddSingleton<IRunObserver>(services => services.GetRequiredService<RecordingObserver>());
        configure?.Invoke(builder.Services);
        var host = builder.Build();
        try
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            host.Dispose();
            throw;
        }
        return new TestNode(host, host.Services.GetRequiredService<RecordingObserver>(), queryWarnings);
    }

    /// <summary>Stops it, and fails if EF Core has warned of a query, which would stand in every user's log.</summary>
    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        Assert.Empty(queryWarnings.GetSnapshot());
    }
}
