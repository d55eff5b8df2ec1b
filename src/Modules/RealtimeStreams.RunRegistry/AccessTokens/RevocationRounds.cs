using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Ends what is in use with revoked tokens and keys, keeps this node's knowledge of revoked tokens fresh, and removes the rows of tokens that have expired.</summary>
/// <remarks>A round costs nothing unless something has changed, but for one small query for each 500 environments whose tokens are in use here, every cache time. While the
/// database is away, what is known goes on to count for the cache's time; reads that are going on are left alone.</remarks>
internal sealed partial class RevocationRounds(
    Revocations revocations, RevocationStore store, TimeProvider clock, ILogger<RevocationRounds> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var swept = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, clock);
        Task<bool>? beat = null;
        while (true)
        {
            beat ??= timer.WaitForNextTickAsync(stoppingToken).AsTask();
            // At a beat anyway: what others say may be lost.
            if (await Task.WhenAny(beat, revocations.News) == beat)
            {
                if (!await beat) return;
                beat = null;
            }
            revocations.TakeNews();
            try
            {
                await revocations.RefreshAsync(stoppingToken);
                if (clock.GetElapsedTime(swept) < SweepInterval) continue;
                swept = clock.GetTimestamp();
                await store.SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    [LoggerMessage(EventId = 1443, Level = LogLevel.Debug, Message = "Could not read which tokens are revoked; it is tried again in a second")]
    private partial void LogFailed(Exception exception);
}
