using System.Collections.Concurrent;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>What this node knows of one environment's revocations, and the credentials that are in use here.</summary>
internal sealed class KnownRevocations(EnvironmentId environment, RevocationStore store, TimeSpan keep, TimeProvider clock) : IDisposable
{
    /// <summary>What nobody has asked for so long need not be known any more.</summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<AccessWatch, byte> watches = new();
    private readonly SemaphoreSlim turn = new(1, 1); // Of reading the database.
    private volatile RevokedTokens revoked = RevokedTokens.None;
    private long readAt;     // When the database was last asked, a timestamp. Written in turn.
    private long readAllAt;  // And for everything.
    private volatile bool isRead;
    private long usedAt = clock.GetTimestamp();
    private int grants; // How many of the watches are over tokens.

    /// <summary>Whether nothing is in use here, nor was lately.</summary>
    public bool IsIdle => watches.IsEmpty && !WereTokensUsed;

    private bool WereTokensUsed => clock.GetElapsedTime(Volatile.Read(ref usedAt)) <= ForgetAfter;

    /// <summary>What is revoked, as of at most the cache time ago; about a second in fact, as the rounds read it anew.</summary>
    public async ValueTask<RevokedTokens> FindAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref usedAt, clock.GetTimestamp());
        if (!isRead || clock.GetElapsedTime(Volatile.Read(ref readAt)) > keep) await ReadAsync(onlyIfOld: true, cancellationToken);
        return revoked;
    }

    /// <summary>Asks the database for what is new, ends the grants in use that are revoked by it. Where no tokens are used there is nothing to ask for.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref grants) > 0 || WereTokensUsed) return ReadAsync(onlyIfOld: false, cancellationToken);
        isRead = false;
        return Task.CompletedTask;
    }

    /// <summary>Ends what is in use with a key that is none any more, or will be.</summary>
    public async Task CheckKeysAsync(CancellationToken cancellationToken)
    {
        if (watches.IsEmpty) return;
        var keys = await store.ReadKeysAsync(environment, cancellationToken);
        foreach (var (watch, _) in watches)
        {
            if (watch.Credential.Key is not { Digest: var digest }) continue;
            if (keys.TryGetValue(digest, out var key) && key.RevokedAt is null) watch.KeyEnds(key.ExpiresAt);
            else watch.Finish(AccessEnd.Revoked);
        }
    }

    public void Add(AccessWatch watch)
    {
        if (watch.Credential.Grant is not null) Interlocked.Increment(ref grants);
        watches.TryAdd(watch, 0);
        EndIfRevoked(watch); // It was revoked between being verified and being watched.
    }

    public void Remove(AccessWatch watch)
    {
        if (!watches.TryRemove(watch, out _) || watch.Credential.Grant is null) return;
        Volatile.Write(ref usedAt, clock.GetTimestamp());
        Interlocked.Decrement(ref grants);
    }

    public void Dispose() => turn.Dispose();

    private async Task ReadAsync(bool onlyIfOld, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (onlyIfOld && isRead && clock.GetElapsedTime(readAt) <= keep) return; // Somebody before did it.
            var asked = clock.GetTimestamp();
            if (!isRead || clock.GetElapsedTime(readAllAt) > keep)
            {
                revoked = await store.ReadAsync(environment, DateTimeOffset.UnixEpoch, cancellationToken);
                Volatile.Write(ref readAllAt, asked);
            }
            else
            {
                // Rows are found by their time: those of servers whose clocks are behind, or that took long to be stored, by looking back a while.
                revoked = revoked.And(await store.ReadAsync(environment, clock.GetUtcNow() - 2 * keep, cancellationToken));
            }
            Volatile.Write(ref readAt, asked);
            isRead = true;
        }
        finally
        {
            turn.Release();
        }
        foreach (var (watch, _) in watches) EndIfRevoked(watch);
    }

    private void EndIfRevoked(AccessWatch watch)
    {
        if (watch.Credential.Grant is { } grant && revoked.Revokes(grant)) watch.Finish(AccessEnd.Revoked);
    }
}
