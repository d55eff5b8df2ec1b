using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Expiring;

/// <summary>Looks for streams of which something has expired, a bounded piece at a time, for as long as the server runs.</summary>
/// <remarks>A look that fails is logged and followed by the next: nothing is lost by waiting.</remarks>
internal sealed partial class ExpirySweeper(
    Expiration expiration, IOptions<SweepOptions> options, TimeProvider clock, ILogger<ExpirySweeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Spread, so that servers that were started together drift apart.
        var more = false;
        while (true)
        {
            var wait = more ? TimeSpan.FromTicks(Math.Min(options.Value.ShortInterval.Ticks, options.Value.ExpiryInterval.Ticks)) : options.Value.ExpiryInterval;
            await Task.Delay(wait * (0.75 + 0.5 * Random.Shared.NextDouble()), clock, stoppingToken);
            more = await SweepAsync(stoppingToken);
        }
    }

    private async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await expiration.SweepAsync(cancellationToken);
        }
        catch (RegistryUnavailableException)
        {
            LogUnavailable();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(exception);
        }
        return false;
    }

    [LoggerMessage(EventId = 1314, Level = LogLevel.Warning, Message = "The registry could not be reached; what expired waits for the next look")]
    private partial void LogUnavailable();

    [LoggerMessage(EventId = 1315, Level = LogLevel.Error, Message = "A look for what expired failed; it waits for the next")]
    private partial void LogFailed(Exception exception);
}
