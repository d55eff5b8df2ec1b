using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Which tokens are revoked, and what is in use here with credentials that are not any more.</summary>
/// <remarks>
/// The tables are the truth. Every node remembers what it needs of them, and reads anew every second which tokens are revoked, and when another node says so.
/// Keys are looked at when they have changed (<see cref="CredentialChanges"/>).
/// </remarks>
internal sealed partial class Revocations : IDisposable
{
    private readonly ConcurrentDictionary<EnvironmentId, KnownRevocations> known = new();
    private readonly RevocationStore store;
    private readonly CredentialChanges changes;
    private readonly IRegistryAnnouncements announcements;
    private readonly TimeProvider clock;
    private readonly ILogger<Revocations> logger;
    private readonly TimeSpan keep;
    private readonly IDisposable subscription;
    private TaskCompletionSource news = New();
    private long checkedKeys; // The generation of the keys that those in use were last compared with.

    public Revocations(
        RevocationStore store,
        CredentialChanges changes,
        IRegistryAnnouncements announcements,
        IOptions<RunRegistryOptions> options,
        TimeProvider clock,
        ILogger<Revocations> logger)
    {
        this.store = store;
        this.changes = changes;
        this.announcements = announcements;
        this.clock = clock;
        this.logger = logger;
        keep = options.Value.CacheTime;
        subscription = announcements.Subscribe(change =>
        {
            if (change.Kind == RegistryChangeKind.TokensRevoked) Wake();
        });
        changes.Changed += Wake;
    }

    /// <summary>Completes when another node revoked something, or keys changed, after <see cref="TakeNews"/> was last called.</summary>
    public Task News => Volatile.Read(ref news).Task;

    public void TakeNews() => Interlocked.Exchange(ref news, New());

    public ValueTask<RevokedTokens> FindAsync(EnvironmentId environment, CancellationToken cancellationToken) => Of(environment).FindAsync(cancellationToken);

    public IAccessWatch Watch(Credential credential)
    {
        AccessWatch watch;
        lock (known)
        {
            var of = Of(credential.Environment);
            watch = new AccessWatch(credential, clock, of.Remove);
            of.Add(watch);
        }
        if (credential.Key is { } key && key.Generation != changes.Generation)
        {
            // Keys changed between its being found and its being watched: those in use are compared once more.
            Interlocked.Exchange(ref checkedKeys, -1);
            Wake();
        }
        return watch;
    }

    public async ValueTask<Refusal?> RevokeAsync(EnvironmentId environment, string id, CancellationToken cancellationToken)
    {
        if (!TokenIds.TryRead(id, out var expiresAt))
            return new Refusal(ErrorCode.NotFound, "No token with such an id was issued here.");
        if (expiresAt > clock.GetUtcNow())
        {
            if (!await store.AddAsync(environment, id, expiresAt, cancellationToken))
            {
                return new Refusal(
                    ErrorCode.LimitReached,
                    $"{RevocationStore.MaxSingle} tokens of this environment are revoked one by one already, the most that are; revoke all of them instead.");
            }
            await SpreadAsync(environment, cancellationToken);
            LogRevoked(id, environment);
        }
        return null;
    }

    public async ValueTask<DateTimeOffset> RevokeAllAsync(EnvironmentId environment, CancellationToken cancellationToken)
    {
        var until = await store.AddAllAsync(environment, cancellationToken);
        await SpreadAsync(environment, cancellationToken);
        LogRevokedAll(environment, until);
        return until;
    }

    /// <summary>Reads what is new for all environments in use, and forgets the others.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var generation = changes.Generation;
        var keysChanged = Interlocked.Exchange(ref checkedKeys, generation) != generation;
        try
        {
            foreach (var (environment, of) in known)
            {
                if (TryForget(environment, of)) continue;
                if (keysChanged) await of.CheckKeysAsync(cancellationToken);
                await of.RefreshAsync(cancellationToken);
            }
            keysChanged = false;
        }
        finally
        {
            if (keysChanged) Interlocked.Exchange(ref checkedKeys, -1); // Not all of them: in the next round.
        }
    }

    public void Dispose()
    {
        changes.Changed -= Wake;
        subscription.Dispose();
        foreach (var (_, of) in known) of.Dispose();
    }

    private bool TryForget(EnvironmentId environment, KnownRevocations of)
    {
        lock (known) return of.IsIdle && known.TryRemove(environment, out _); // Or somebody is watched by what was just forgotten.
    }

    private KnownRevocations Of(EnvironmentId environment) =>
        known.GetOrAdd(environment, static (name, self) => new KnownRevocations(name, self.store, self.keep, self.clock), this);

    /// <summary>This node knows it when this returns; the others hear of it.</summary>
    private async Task SpreadAsync(EnvironmentId environment, CancellationToken cancellationToken)
    {
        await Of(environment).RefreshAsync(cancellationToken);
        try
        {
            await announcements.PublishAsync(new RegistryChange(RegistryChangeKind.TokensRevoked, environment, default), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotAnnounced(environment, exception); // They look by themselves every second.
        }
    }

    private void Wake() => Volatile.Read(ref news).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(EventId = 1440, Level = LogLevel.Information, Message = "The access token {Token} of {Environment} was revoked")]
    private partial void LogRevoked(string token, EnvironmentId environment);

    [LoggerMessage(EventId = 1441, Level = LogLevel.Information, Message = "All access tokens of {Environment} that were made until {Until:O} were revoked")]
    private partial void LogRevokedAll(EnvironmentId environment, DateTimeOffset until);

    [LoggerMessage(EventId = 1442, Level = LogLevel.Debug, Message = "Could not announce revoked tokens of {Environment}; other servers look every second")]
    private partial void LogNotAnnounced(EnvironmentId environment, Exception exception);
}
