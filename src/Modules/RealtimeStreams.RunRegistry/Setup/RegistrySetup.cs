using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.RunRegistry.AccessTokens;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Settings;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Setup;

/// <summary>Migrates the database at start, one server at a time.</summary>
/// <remarks>
/// A database that cannot be reached does not stop the start: until it can, calls are refused as unavailable and the server is not ready.
/// Anything else (wrong password, a failing migration) does, because waiting would not mend it.
/// </remarks>
internal sealed partial class RegistrySetup(
    RegistryDatabase database,
    DefaultEnvironment defaultEnvironment,
    CredentialChanges credentials,
    Revocations revocations,
    KnownSettings settings,
    RegistrySetup.Extent extent,
    TimeProvider clock,
    ILogger<RegistrySetup> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Migrations of a large table may take long; they must not be cut off by the time-out of everyday commands.</summary>
    private static readonly TimeSpan MigrationTimeout = TimeSpan.FromHours(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TrySetUpAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!database.IsReady)
        {
            await Task.Delay(RetryAfter, clock, stoppingToken);
            await TrySetUpAsync(stoppingToken);
        }
    }

    private async Task TrySetUpAsync(CancellationToken cancellationToken)
    {
        string? key = null;
        try
        {
            await using var turn = await database.Provider.TakeSetupTurnAsync(cancellationToken);
            await using var context = database.Provider.CreateContext();
            context.Database.SetCommandTimeout(MigrationTimeout);
            await database.Provider.PrepareAsync(context, cancellationToken);
            // The migrator builds and compares whole models before it looks whether there is anything to do, at each start.
            if ((await context.Database.GetPendingMigrationsAsync(cancellationToken)).Any()) await context.Database.MigrateAsync(cancellationToken);
            await CredentialChanges.EnsureAsync(context, cancellationToken);
            if (extent.MakesDefaultKey) key = await defaultEnvironment.EnsureAsync(context, cancellationToken);
            else await defaultEnvironment.EnsureEnvironmentAsync(context, cancellationToken);
            var (keys, tokens) = await CredentialChanges.FindCountsAsync(context, cancellationToken);
            credentials.See(keys); // Before anything is remembered.
            revocations.See(tokens);
            await settings.LoadAsync(context, cancellationToken);
        }
        catch (Exception exception) when (database.Provider.IsUnavailable(exception))
        {
            LogUnreachable(database.Provider.Place, exception);
            return;
        }
        database.MarkReady();
        if (key is not null) defaultEnvironment.Publish(key);
        LogReady(database.Provider.Place);
    }

    /// <summary>How much is set up.</summary>
    /// <param name="MakesDefaultKey">Whether the default environment gets the key that is configured here, or one of this data directory.</param>
    internal sealed record Extent(bool MakesDefaultKey);

    [LoggerMessage(EventId = 1410, Level = LogLevel.Information, Message = "The registry is ready: {Place}")]
    private partial void LogReady(string place);

    [LoggerMessage(EventId = 1411, Level = LogLevel.Warning, Message = "The registry cannot be reached and is tried again: {Place}")]
    private partial void LogUnreachable(string place, Exception exception);
}
