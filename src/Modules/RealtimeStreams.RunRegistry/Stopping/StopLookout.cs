using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Stopping;

/// <summary>
/// Looks which runs were asked to stop lately: when one that is watched here was announced, and once a second because announcements may be lost, while anybody watches. One
/// small query for all, over an index that holds nothing but such runs.
/// </summary>
/// <remarks>Not measured or traced like other operations, as it goes on for as long as the server lives.</remarks>
internal sealed partial class StopLookout(
    RegistryDatabase database, StopWatches watches, TimeProvider clock, ILogger<StopLookout> logger) : BackgroundService
{
    private const int PageSize = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The times are those of the nodes that asked, whose clocks may differ, and are taken before they can be seen.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);

    private bool isBlind;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(BeatAsync(stoppingToken), LookAsync(stoppingToken));

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(cancellationToken)) watches.LookSoon();
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var lookedAt = clock.GetUtcNow();
        await foreach (var _ in watches.Looks.ReadAllAsync(cancellationToken))
        {
            if (!database.IsReady) continue;
            var now = clock.GetUtcNow();
            try
            {
                await LookAsync(lookedAt - Slack, cancellationToken);
                lookedAt = now;
                isBlind = false;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // Whatever it is: nobody else looks, and a service that faults stops the server. The next look goes back as far as this one would have.
                if (!isBlind) LogBlind(exception);
                isBlind = true;
            }
        }
    }

    private async Task LookAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        for (var seen = 0; ; seen += PageSize)
        {
            await using var context = database.Provider.CreateContext();
            var page = await context.LivingRuns
                .Where(row => row.StopRequestedAt != null && row.StopRequestedAt >= since)
                .OrderBy(row => row.StopRequestedAt).ThenBy(row => row.Environment).ThenBy(row => row.Id)
                .Skip(seen)
                .Take(PageSize)
                .ToListAsync(cancellationToken);
            foreach (var row in page) await watches.TellAsync(EnvironmentId.Parse(row.Environment), RunId.Parse(row.Id), row.ToRun().Stop!);
            if (page.Count < PageSize) return;
        }
    }

    [LoggerMessage(EventId = 1452, Level = LogLevel.Warning, Message = "Cannot look which runs were asked to stop; readers and workers here learn it later")]
    private partial void LogBlind(Exception exception);
}
