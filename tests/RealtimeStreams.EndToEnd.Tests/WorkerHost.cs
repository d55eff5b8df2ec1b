using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A worker's program: a generic host with tasks.</summary>
internal sealed class WorkerHost : IAsyncDisposable
{
    private readonly IHost host;

    private WorkerHost(IHost host) => this.host = host;

    /// <summary>Whether it goes on: neither told to stop nor ended by a failure.</summary>
    public bool IsRunning =>
        !host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested
        && host.Services.GetServices<IHostedService>().OfType<BackgroundService>().All(service => service.ExecuteTask is { IsCompleted: false });

    /// <summary>What it has logged so far, from information on.</summary>
    public IReadOnlyList<FakeLogRecord> Log => host.Services.GetFakeLogCollector().GetSnapshot();

    /// <param name="server">Whose runs it claims.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="addTasks">Adds its tasks.</param>
    /// <param name="lease">How long its claims hold.</param>
    /// <param name="drainTime">How long its runs may go on once it stops.</param>
    /// <param name="port">Another port, for example of a proxy in front of the server.</param>
    /// <param name="maxRuns">How many runs it has at once.</param>
    public static async Task<WorkerHost> StartAsync(
        ServerProcess server, string name, Action<IServiceCollection> addTasks, TimeSpan? lease = null, TimeSpan? drainTime = null, int? port = null, int? maxRuns = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.SetMinimumLevel(LogLevel.Information).AddFakeLogging();
        builder.Services.AddRealtimeStreams(options =>
        {
            options.BaseAddress = new UriBuilder(server.Address) { Port = port ?? server.Port }.Uri;
            options.SecretKey = server.SecretKey;
            options.MaxBackoff = TimeSpan.FromMilliseconds(500);
        });
        builder.Services.Configure<RealtimeStreamsWorkerOptions>(options =>
        {
            options.Worker = name;
            options.Lease = lease ?? options.Lease;
            options.DrainTime = drainTime ?? options.DrainTime;
            options.MaxConcurrentRuns = maxRuns ?? options.MaxConcurrentRuns;
        });
        addTasks(builder.Services);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new WorkerHost(host);
    }

    public Task StopAsync() => host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
    }
}
