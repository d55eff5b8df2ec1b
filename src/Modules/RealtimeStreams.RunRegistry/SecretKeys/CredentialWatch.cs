using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.RunRegistry.AccessTokens;
using RealtimeStreams.RunRegistry.Settings;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Looks twice a second whether anybody changed secret keys or environments' settings, or revoked tokens: whoever did so may have no broker to tell, and announcements may be lost.</summary>
/// <remarks>Not measured or traced like other operations: two rows, read for as long as the server lives. While the database is away, memory expires by time.</remarks>
internal sealed partial class CredentialWatch(
    RegistryDatabase database,
    CredentialChanges changes,
    KnownSettings settings,
    Revocations revocations,
    TimeProvider clock,
    ILogger<CredentialWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly PeriodicTimer timer = new(Interval, clock); // From the start of the host on, not from whenever the loop gets a thread.
    private bool isBlind;

    public override void Dispose()
    {
        timer.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (!database.IsReady) return;
        try
        {
            await using var context = database.Provider.CreateContext();
            var (keys, tokens) = await CredentialChanges.FindCountsAsync(context, cancellationToken);
            changes.See(keys);
            revocations.See(tokens);
            if (settings.IsStale) await settings.LoadAsync(context, cancellationToken);
            isBlind = false;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: nobody else looks, and a service that faults stops the server.
            if (!isBlind) LogBlind(exception);
            isBlind = true;
        }
    }

    [LoggerMessage(EventId = 1435, Level = LogLevel.Warning,
        Message = "Cannot look whether secret keys, tokens or settings changed; a revoked one may be taken until what is remembered of it expires")]
    private partial void LogBlind(Exception exception);
}
