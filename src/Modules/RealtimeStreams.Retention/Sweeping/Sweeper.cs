using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Sweeping;

/// <summary>Has the registry repeat what was cut off, a bounded piece at a time, for as long as the server runs.</summary>
/// <remarks>A sweep that fails is logged and followed by the next: nothing is lost by waiting, and the server serves without it.</remarks>
internal sealed partial class Sweeper(
    IRunRegistry registry, IOptions<SweepOptions> options, RetentionTelemetry telemetry, TimeProvider clock, ILogger<Sweeper> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = options.Value.ShortInterval;
        RepeatCursor? cursor = null;
        while (true)
        {
            await Task.Delay(Looks.Spread(wait), clock, stoppingToken);
            var repeated = await SweepAsync(cursor, stoppingToken);
            cursor = repeated?.Next;

            // Where nothing succeeds, hurrying does not help.
            wait = repeated is { Next: not null, Done: > 0 } ? options.Value.ShortInterval : options.Value.Interval;
        }
    }

    private async Task<Repeated?> SweepAsync(RepeatCursor? after, CancellationToken cancellationToken)
    {
        using var activity = telemetry.StartSweep();
        try
        {
            var repeated = await registry.RepeatAsync(after, options.Value.MaxRuns, cancellationToken);
            telemetry.Record(repeated);
            if (repeated.Done > 0 || repeated.Failed > 0) LogSwept(repeated.Done, repeated.Failed);
            return repeated;
        }
        catch (RegistryUnavailableException exception)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            LogUnavailable();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            LogFailed(exception);
        }
        return null;
    }

    [LoggerMessage(EventId = 1301, Level = LogLevel.Information, Message = "Finished what was pending of {Done} runs; {Failed} failed again")]
    private partial void LogSwept(int done, int failed);

    [LoggerMessage(EventId = 1302, Level = LogLevel.Warning, Message = "The registry could not be reached; cut-off work waits for the next sweep")]
    private partial void LogUnavailable();

    [LoggerMessage(EventId = 1303, Level = LogLevel.Error, Message = "A sweep failed; cut-off work waits for the next")]
    private partial void LogFailed(Exception exception);
}
