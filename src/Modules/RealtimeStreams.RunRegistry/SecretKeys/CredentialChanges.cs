using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Has this node, and then the others, forget what they remember of secret keys when any of them changes.</summary>
/// <remarks>
/// What is remembered carries the generation that was current <em>before</em> the database was asked, and counts only while that is still the current one. So an
/// answer that was on its way while a key was revoked is never believed afterwards.
/// </remarks>
internal sealed partial class CredentialChanges : IDisposable
{
    private readonly IRegistryAnnouncements announcements;
    private readonly ILogger<CredentialChanges> logger;
    private readonly IDisposable subscription;
    private long generation;

    // Written by the set-up, and from then on by whoever looks.
    private long seen;

    public CredentialChanges(IRegistryAnnouncements announcements, ILogger<CredentialChanges> logger)
    {
        this.announcements = announcements;
        this.logger = logger;
        subscription = announcements.Subscribe(change =>
        {
            if (change.Kind == RegistryChangeKind.CredentialsChanged) Forget();
        });
    }

    /// <summary>Something changed. Whoever is told must neither block nor throw.</summary>
    public event Action? Changed;

    /// <summary>To be taken before the database is asked.</summary>
    public long Generation => Interlocked.Read(ref generation);

    /// <summary>
    /// Counts up what servers look at. First in the transaction of every change, which it makes wait for those before: so limits are exact, and two who rotate
    /// one key do so one after the other.
    /// </summary>
    public static Task<int> CountAsync(RegistryContext context, CancellationToken cancellationToken) =>
        CountAsync(context, StoredCredentialVersion.TheOne, cancellationToken);

    /// <summary>The same for revoked tokens, which are counted apart: they change more often, and nobody's keys are forgotten for them.</summary>
    public static Task<int> CountTokensAsync(RegistryContext context, CancellationToken cancellationToken) =>
        CountAsync(context, StoredCredentialVersion.OfTokens, cancellationToken);

    /// <summary>Makes sure that both numbers are there. Called within a set-up turn.</summary>
    public static async Task EnsureAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        if (await context.CredentialVersions.AnyAsync(row => row.Id == StoredCredentialVersion.OfTokens, cancellationToken)) return;
        context.CredentialVersions.Add(new StoredCredentialVersion { Id = StoredCredentialVersion.OfTokens });
        await context.SaveChangesAsync(cancellationToken);
    }

    private static Task<int> CountAsync(RegistryContext context, int row, CancellationToken cancellationToken) => context.CredentialVersions
        .Where(one => one.Id == row)
        .ExecuteUpdateAsync(set => set.SetProperty(row => row.Version, row => row.Version + 1), cancellationToken);

    /// <summary>How often keys or settings have changed so far, and how often tokens were revoked.</summary>
    public static async Task<(long Keys, long Tokens)> FindCountsAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        var counts = await context.CredentialVersions.ToDictionaryAsync(row => row.Id, row => row.Version, cancellationToken);
        return (counts[StoredCredentialVersion.TheOne], counts.GetValueOrDefault(StoredCredentialVersion.OfTokens));
    }

    /// <summary>Somebody looked: another number than the last time means that nothing that is remembered is true any more.</summary>
    public void See(long count)
    {
        if (Interlocked.Exchange(ref seen, count) != count) Forget();
    }

    /// <summary>Nothing that is remembered is true any more.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref generation);
        Changed?.Invoke();
    }

    /// <summary>A change is stored: all forget.</summary>
    public async Task TellAsync(EnvironmentId environment, CancellationToken cancellationToken)
    {
        Forget();
        try
        {
            await announcements.PublishAsync(new RegistryChange(RegistryChangeKind.CredentialsChanged, environment, default), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotAnnounced(environment, exception); // They look by themselves (CredentialWatch).
        }
    }

    public void Dispose() => subscription.Dispose();

    [LoggerMessage(EventId = 1434, Level = LogLevel.Debug, Message = "Could not announce that keys of {Environment} changed; other servers notice when they look")]
    private partial void LogNotAnnounced(EnvironmentId environment, Exception exception);
}
