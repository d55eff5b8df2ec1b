using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Which tokens are revoked, and what is in use here with credentials that are not any more.</summary>
/// <remarks>
/// The tables are the truth. Every node remembers what it needs of them, and reads what is new, for all environments at once, when the number of revocations has
/// grown (<see cref="CredentialWatch"/>) or another node says so; an environment whose tokens are in use is read as a whole from time to time. Keys are looked at
/// when they have changed (<see cref="CredentialChanges"/>).
/// </remarks>
internal sealed partial class Revocations : IDisposable
{
    /// <summary>Rows are found by their time: those of servers whose clocks are behind, or that took long to be stored, by looking back so far.</summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<EnvironmentId, KnownRevocations> known = new();
    private readonly RevocationStore store;
    private readonly CredentialChanges changes;
    private readonly IRegistryAnnouncements announcements;
    private readonly TimeProvider clock;
    private readonly ILogger<Revocations> logger;
    private readonly TimeSpan keep;
    private readonly IDisposable subscription;
    private TaskCompletionSource news = New();
    private long seen = -1;         // The number of revocations when somebody last looked.
    private int isStale;            // Whether there is something new to read.
    private DateTimeOffset readAt;  // When what is new was last read. Of the rounds.
    private long checkedKeys;       // The generation of the keys that those in use were last compared with.

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
            if (change.Kind == RegistryChangeKind.TokensRevoked) MarkStale();
        });
        readAt = clock.GetUtcNow();
        changes.Changed += Wake;
    }

    /// <summary>Completes when another node revoked something, or keys changed, after <see cref="TakeNews"/> was last called.</summary>
    public Task News => Volatile.Read(ref news).Task;

    /// <summary>Somebody looked: another number of revocations than the last time means that there are new ones. The set-up looks first, before anything is remembered.</summary>
    public void See(long count)
    {
        var before = Interlocked.Exchange(ref seen, count);
        if (before >= 0 && before != count) MarkStale();
    }

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

    public async ValueTask<Refusal?> RevokeAsync(EnvironmentId environment, string id, string by, CancellationToken cancellationToken)
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
            await SpreadAsync(environment, RevokedTokens.Of([(id, null)]), cancellationToken);
            LogRevoked(id, environment, by);
        }
        return null;
    }

    public async ValueTask<DateTimeOffset> RevokeAllAsync(EnvironmentId environment, string by, CancellationToken cancellationToken)
    {
        var until = await store.AddAllAsync(environment, cancellationToken);
        await SpreadAsync(environment, RevokedTokens.Of([("", until)]), cancellationToken);
        LogRevokedAll(environment, until, by);
        return until;
    }

    /// <summary>Ends what is in use with what is revoked, forgets the environments where nothing is, and reads what was read long ago.</summary>
    /// <remarks>In few queries for many environments, each bounded; and what is revoked during it waits for the one that is under way, not for the round.</remarks>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await EndRevokedAsync(cancellationToken);
        List<KnownRevocations> page = [];
        var tokens = 0;
        foreach (var (environment, of) in known)
        {
            if (TryForget(environment, of) || !of.LookWhetherOld()) continue;
            page.Add(of);
            tokens += of.Count;
            if (page.Count < RevocationStore.MaxEnvironments && tokens < RevocationStore.MaxSingle) continue;
            await ReadAsync(page, cancellationToken);
            page.Clear();
            tokens = 0;
            await EndRevokedAsync(cancellationToken);
        }
        await ReadAsync(page, cancellationToken);
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
    private async Task SpreadAsync(EnvironmentId environment, RevokedTokens revoked, CancellationToken cancellationToken)
    {
        await Of(environment).TakeAsync(revoked, cancellationToken);
        try
        {
            await announcements.PublishAsync(new RegistryChange(RegistryChangeKind.TokensRevoked, environment, default), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotAnnounced(environment, exception); // They look by themselves twice a second.
        }
    }

    /// <summary>Reads all of some environments. Those that somebody else reads just now he reads.</summary>
    private async Task ReadAsync(List<KnownRevocations> page, CancellationToken cancellationToken)
    {
        var reading = page.FindAll(of => of.TryBeginRead());
        if (reading.Count == 0) return;
        try
        {
            var asked = clock.GetTimestamp();
            var revoked = await store.ReadAsync(reading.Select(of => of.Environment), cancellationToken);
            foreach (var of in reading) of.Know(revoked.GetValueOrDefault(of.Environment, RevokedTokens.None), asked);
        }
        finally
        {
            foreach (var of in reading) of.EndRead();
        }
    }

    /// <summary>Ends what is in use with what was revoked since the last time, tokens before keys. Costs nothing if nothing was.</summary>
    private async Task EndRevokedAsync(CancellationToken cancellationToken)
    {
        await ReadNewAsync(cancellationToken);
        var generation = changes.Generation;
        if (Interlocked.Exchange(ref checkedKeys, generation) == generation) return;
        var isDone = false;
        try
        {
            foreach (var page in known.Select(one => one.Value).Where(of => of.IsInUse).Chunk(RevocationStore.MaxEnvironments))
            {
                var keys = await store.ReadKeysAsync(page.Select(of => of.Environment), cancellationToken);
                foreach (var of in page) of.CheckKeys(keys, generation);
                await ReadNewAsync(cancellationToken);
            }
            isDone = true;
        }
        finally
        {
            if (!isDone) Interlocked.Exchange(ref checkedKeys, -1); // Not all of them: in the next round.
        }
    }

    private async Task ReadNewAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref isStale, 0) == 0) return;
        var asked = clock.GetUtcNow();
        try
        {
            foreach (var (environment, revoked) in await store.ReadNewAsync(readAt - LookBack, cancellationToken))
                if (known.TryGetValue(environment, out var of)) await of.TakeAsync(revoked, cancellationToken);
            readAt = asked;
        }
        catch
        {
            Interlocked.Exchange(ref isStale, 1); // In the next round.
            throw;
        }
    }

    private void MarkStale()
    {
        Interlocked.Exchange(ref isStale, 1);
        Wake();
    }

    private void Wake() => Volatile.Read(ref news).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(EventId = 1440, Level = LogLevel.Information, Message = "The access token {Token} of {Environment} was revoked by {By}")]
    private partial void LogRevoked(string token, EnvironmentId environment, string by);

    [LoggerMessage(EventId = 1441, Level = LogLevel.Information, Message = "All access tokens of {Environment} that were made until {Until:O} were revoked by {By}")]
    private partial void LogRevokedAll(EnvironmentId environment, DateTimeOffset until, string by);

    [LoggerMessage(EventId = 1442, Level = LogLevel.Debug, Message = "Could not announce revoked tokens of {Environment}; other servers notice when they look")]
    private partial void LogNotAnnounced(EnvironmentId environment, Exception exception);
}
