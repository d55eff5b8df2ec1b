using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.EmbeddedBroker.Running;

/// <summary>
/// Keeps a server running from before the host's services start until after they have stopped. Its state (the folder, the server that runs)
/// belongs to the start, then to the supervising loop, then to the stop, which follow each other.
/// </summary>
internal sealed partial class SupervisedBroker(
    NatsServerLocator locator, IOptions<EmbeddedBrokerOptions> options, TimeProvider clock, ILogger<SupervisedBroker> logger)
    : IEmbeddedBroker, IHostedLifecycleService, IAsyncDisposable
{
    // Another process may take a chosen port before the server does. Three times in a row it is something else.
    private const int PortChoices = 3;
    private static readonly TimeSpan stopPatience = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource<EmbeddedBrokerAddress> address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stopping = new();
    private BrokerFolder? folder;
    private volatile ServerProcess? server;
    private Task supervision = Task.CompletedTask;

    public int? ProcessId => server is { Ended.IsCompleted: false } running ? running.Id : null;

    public async ValueTask<EmbeddedBrokerAddress> GetAddressAsync(CancellationToken cancellationToken) =>
        await address.Task.WaitAsync(cancellationToken);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            folder = BrokerFolder.Claim(options.Value.DataDirectory);
            if (folder.EndOrphan() is { } orphan) LogOrphanEnded(orphan);
            var executable = await locator.FindAsync(cancellationToken);
            var settings = await StartFirstAsync(executable, cancellationToken);
            LogStarted(executable.Version, server!.Id, settings.Address, folder.FullPath);
            supervision = SuperviseAsync(executable, settings, stopping.Token);
            address.SetResult(settings.Address);
        }
        catch (Exception exception)
        {
            if (exception is not OperationCanceledException) address.TrySetException(exception);
            else address.TrySetCanceled(cancellationToken);
            await DisposeAsync();
            throw;
        }
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (!stopping.IsCancellationRequested) await stopping.CancelAsync();
        await supervision;
        if (server is { } running) await running.StopAsync(stopPatience, cancellationToken);
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopping.IsCancellationRequested) await stopping.CancelAsync();
        await supervision;
        if (server is { } running)
        {
            server = null;
            await running.DisposeAsync();
            LogStopped();
        }

        folder?.Dispose();
        folder = null;
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<ServerSettings> StartFirstAsync(NatsServerExecutable executable, CancellationToken cancellationToken)
    {
        var broker = options.Value.Broker;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(broker.StartTimeout);
        for (var choice = 1; ; choice++)
        {
            var settings = ServerSettings.Choose();
            settings.Write(folder!, broker);
            server = ServerProcess.Start(executable.Path, folder!, clock, logger);
            try
            {
                if (await server.WaitUntilReadyAsync(settings, limit.Token)) return settings;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new EmbeddedBrokerException(
                    $"nats-server did not take connections within {broker.StartTimeout}. RealtimeStreams:Broker:StartTimeout gives it more. {server.LastLines}");
            }

            var lines = server.LastLines;
            var code = await server.Ended;
            await server.DisposeAsync();
            server = null;
            if (choice == PortChoices || !lines.Contains("address already in use", StringComparison.OrdinalIgnoreCase))
                throw new EmbeddedBrokerException($"nats-server ended with code {code} instead of starting, with its data in {folder!.FullPath}. {lines}");
        }
    }

    private async Task SuperviseAsync(NatsServerExecutable executable, ServerSettings settings, CancellationToken cancellationToken)
    {
        await Task.Yield(); // The start does not wait for what follows it.
        var delays = new RestartDelays(clock);
        try
        {
            while (true)
            {
                var code = await server!.Ended.WaitAsync(cancellationToken);
                LogCrashed(server.Id, code, server.LastLines);
                await server.DisposeAsync();
                await RestartAsync(executable, settings, delays, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The host stops, and ends the server that runs now.
        }
    }

    private async Task RestartAsync(
        NatsServerExecutable executable, ServerSettings settings, RestartDelays delays, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(delays.Next(), clock, cancellationToken);
            try
            {
                settings.Write(folder!, options.Value.Broker);
                server = ServerProcess.Start(executable.Path, folder!, clock, logger);
            }
            catch (Exception exception) when (exception is EmbeddedBrokerException or IOException or UnauthorizedAccessException)
            {
                LogRestartFailed(exception);
                continue;
            }

            // Until its store is recovered, for as long as that takes. If it ends instead, the loop sees that.
            if (await server.WaitUntilReadyAsync(settings, cancellationToken)) LogRestarted(server.Id);
            return;
        }
    }

    [LoggerMessage(EventId = 1541, Level = LogLevel.Information, Message = "Embedded broker: nats-server {Version} (process {ProcessId}) at {Address}, data in {Folder}")]
    private partial void LogStarted(Version version, int processId, EmbeddedBrokerAddress address, string folder);

    [LoggerMessage(EventId = 1542, Level = LogLevel.Information, Message = "Embedded broker stopped")]
    private partial void LogStopped();

    [LoggerMessage(EventId = 1543, Level = LogLevel.Warning, Message = "The embedded broker (process {ProcessId}) ended with code {Code} and is restarted. {LastLines}")]
    private partial void LogCrashed(int processId, int code, string lastLines);

    [LoggerMessage(EventId = 1544, Level = LogLevel.Information, Message = "The embedded broker is back (process {ProcessId})")]
    private partial void LogRestarted(int processId);

    [LoggerMessage(EventId = 1545, Level = LogLevel.Error, Message = "The embedded broker could not be restarted; it is tried again")]
    private partial void LogRestartFailed(Exception exception);

    [LoggerMessage(EventId = 1546, Level = LogLevel.Warning, Message = "Ended a broker (process {ProcessId}) that an earlier server left behind on this data directory")]
    private partial void LogOrphanEnded(int processId);
}
