using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.RunRegistry.Counting;

/// <summary>Tells once a second what was stored of runs here, and at the end all that is left.</summary>
internal sealed partial class UsageReporter(UsageReports reports, TimeProvider clock, ILogger<UsageReporter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly PeriodicTimer timer = new(Interval, clock); // From the start of the host on, not from whenever the loop gets a thread.

    private bool isBlind;

    public override void Dispose()
    {
        timer.Dispose();
        base.Dispose();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TellAsync(all: true, cancellationToken); // Whoever writes has ended by now.
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await timer.WaitForNextTickAsync(stoppingToken)) await TellAsync(all: false, stoppingToken);
    }

    private async Task TellAsync(bool all, CancellationToken cancellationToken)
    {
        try
        {
            await reports.TellAsync(all, cancellationToken);
            isBlind = false;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end of the host tells what is left; a host that is hurried does not.
        }
        catch (Exception exception)
        {
            // Limits go on to hold on this server; what others store is not seen meanwhile.
            if (!isBlind) LogUntold(exception);
            isBlind = true;
        }
    }

    [LoggerMessage(EventId = 1470, Level = LogLevel.Warning, Message = "Could not tell the registry how many bytes runs have stored; it is tried again every second")]
    private partial void LogUntold(Exception exception);
}
