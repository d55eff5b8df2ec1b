using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.ServiceDefaults;

/// <summary>
/// Stops the process when its standard input ends. A parent that holds the other end so takes its children along however it dies,
/// also by a kill, and on every operating system.
/// </summary>
/// <remarks>Off unless <see cref="Setting"/> is true: a service's standard input is usually closed from the start.</remarks>
internal sealed partial class StopWithParent(IHostApplicationLifetime lifetime, ILogger<StopWithParent> logger) : IHostedService
{
    public const string Setting = "ServiceDefaults:StopWhenInputCloses";

    public static void AddTo(IHostApplicationBuilder builder)
    {
        if (builder.Configuration.GetValue<bool>(Setting))
            builder.Services.AddHostedService<StopWithParent>();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A thread of its own, in the background: a read of standard input cannot be cancelled and must not keep the process alive.
        new Thread(WaitForEnd) { IsBackground = true, Name = nameof(StopWithParent) }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void WaitForEnd()
    {
        using var input = Console.OpenStandardInput();
        var ignored = new byte[256];
        while (input.Read(ignored) > 0)
        {
            // What the parent writes means nothing here; only the end does.
        }

        LogParentGone();
        lifetime.StopApplication();
    }

    [LoggerMessage(EventId = 9001, Level = LogLevel.Information, Message = "Standard input has ended: stopping with the process that held it")]
    private partial void LogParentGone();
}
