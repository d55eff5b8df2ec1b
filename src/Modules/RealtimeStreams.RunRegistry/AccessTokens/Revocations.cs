using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Which tokens are revoked. The table is the truth; every node remembers what it needs of it, and reads it anew every second and when another node says so.</summary>
internal sealed partial class Revocations : IDisposable
{
    /// <summary>What nobody has asked for so long is forgotten.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<EnvironmentId, KnownRevocations> known = new();
    private readonly RevocationStore store;
    private readonly IRegistryAnnouncements announcements;
    private readonly TimeProvider clock;
    private readonly ILogger<Revocations> logger;
    private readonly TimeSpan keep;
    private readonly IDisposable subscription;
    private TaskCompletionSource news = New();

    public Revocations(
        RevocationStore store, IRegistryAnnouncements announcements, IOptions<RunRegistryOptions> options, TimeProvider clock, ILogger<Revocations> logger)
    {
        this.store = store;
        this.announcements = announcements;
        this.clock = clock;
        this.logger = logger;
        keep = options.Value.CacheTime;
        subscription = announcements.Subscribe(change =>
        {
            if (change.Kind == RegistryChangeKind.TokensRevoked) Volatile.Read(ref news).TrySetResult();
        });
    }

    /// <summary>Completes when another node revoked something after <see cref="TakeNews"/> was last called.</summary>
    public Task News => Volatile.Read(ref news).Task;

    public void TakeNews() => Interlocked.Exchange(ref news, New());

    public ValueTask<RevokedTokens> FindAsync(EnvironmentId environment, CancellationToken cancellationToken) => Of(environment).FindAsync(cancellationToken);

    public IAccessWatch Watch(AccessGrant grant)
    {
        while (true)
        {
            var of = Of(grant.Environment);
            var watch = new AccessWatch(grant, clock, of.Remove);
            of.Add(watch);
            // Unless it was forgotten just now, and nobody would tell the watch.
            if (known.TryGetValue(grant.Environment, out var still) && still == of) return watch;
            watch.Dispose();
        }
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
        foreach (var (environment, of) in known)
        {
            if (of.Idle > ForgetAfter) known.TryRemove(environment, out _);
            else await of.RefreshAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        subscription.Dispose();
        foreach (var (_, of) in known) of.Dispose();
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

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(EventId = 1440, Level = LogLevel.Information, Message = "The access token {Token} of {Environment} was revoked")]
    private partial void LogRevoked(string token, EnvironmentId environment);

    [LoggerMessage(EventId = 1441, Level = LogLevel.Information, Message = "All access tokens of {Environment} that were made until {Until:O} were revoked")]
    private partial void LogRevokedAll(EnvironmentId environment, DateTimeOffset until);

    [LoggerMessage(EventId = 1442, Level = LogLevel.Debug, Message = "Could not announce revoked tokens of {Environment}; other servers look every second")]
    private partial void LogNotAnnounced(EnvironmentId environment, Exception exception);
}
