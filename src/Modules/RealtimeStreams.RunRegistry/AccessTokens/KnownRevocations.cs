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
    private long readAt; // When the database was last asked, a timestamp. Written in turn.
    private volatile bool isRead;
    private long usedAt = clock.GetTimestamp();
    private int grants; // How many of the watches are over tokens.

    public EnvironmentId Environment => environment;

    /// <summary>Whether a token or key is in use here.</summary>
    public bool IsInUse => !watches.IsEmpty;

    /// <summary>How many tokens are revoked one by one, as far as is known.</summary>
    public int Count => revoked.Ids.Count;

    /// <summary>Whether nothing is in use here, nor was lately.</summary>
    public bool IsIdle => watches.IsEmpty && !WereTokensUsed;

    private bool IsOld => !isRead || clock.GetElapsedTime(Volatile.Read(ref readAt)) > keep;

    private bool WereTokensUsed => clock.GetElapsedTime(Volatile.Read(ref usedAt)) <= ForgetAfter;

    /// <summary>What is revoked, as of at most the cache time ago; about a second in fact, as the rounds bring what is new.</summary>
    public async ValueTask<RevokedTokens> FindAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref usedAt, clock.GetTimestamp());
        if (IsOld) await ReadAsync(cancellationToken);
        return revoked;
    }

    /// <summary>Whether the database is to be asked for everything, because that was long ago and something may have been missed. Where no tokens are used there is nothing to ask for.</summary>
    public bool LookWhetherOld()
    {
        if (Volatile.Read(ref grants) > 0 || WereTokensUsed) return IsOld;
        isRead = false;
        return false;
    }

    /// <summary>Begins to ask the database, unless somebody is at it just now: nobody else asks, and nothing is taken, until <see cref="EndRead"/>.</summary>
    public bool TryBeginRead() => turn.Wait(0);

    /// <summary>Knows what the database has answered, between <see cref="TryBeginRead"/> and <see cref="EndRead"/>.</summary>
    /// <param name="answer">All that is revoked.</param>
    /// <param name="asked">When it was asked, a timestamp.</param>
    public void Know(RevokedTokens answer, long asked)
    {
        revoked = answer;
        Volatile.Write(ref readAt, asked);
        isRead = true;
        EndRevoked();
    }

    public void EndRead() => turn.Release();

    /// <summary>Takes what was revoked just now, and ends the grants in use that are revoked by it.</summary>
    public async Task TakeAsync(RevokedTokens more, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (!isRead) return; // Whoever asks next reads it. One who is reading has been waited for: it may have asked just before.
            revoked = revoked.And(more);
        }
        finally
        {
            turn.Release();
        }
        EndRevoked();
    }

    /// <summary>Ends what is in use with a key that is none any more, or will be.</summary>
    /// <param name="keys">Of the keys that are not revoked, by their digest, when they expire.</param>
    /// <param name="generation">The keys' generation before they were read. What was found in it, or later, may be newer than they are, and needs no comparison.</param>
    public void CheckKeys(Dictionary<string, DateTimeOffset?> keys, long generation)
    {
        foreach (var (watch, _) in watches)
        {
            if (watch.Credential.Key is not { } key || key.Generation >= generation) continue;
            if (keys.TryGetValue(key.Digest, out var expiresAt)) watch.KeyEnds(expiresAt);
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

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (!IsOld) return; // Somebody before did it.
            var asked = clock.GetTimestamp();
            Know((await store.ReadAsync([environment], cancellationToken)).GetValueOrDefault(environment, RevokedTokens.None), asked);
        }
        finally
        {
            turn.Release();
        }
    }

    private void EndRevoked()
    {
        foreach (var (watch, _) in watches) EndIfRevoked(watch);
    }

    private void EndIfRevoked(AccessWatch watch)
    {
        if (watch.Credential.Grant is { } grant && revoked.Revokes(grant)) watch.Finish(AccessEnd.Revoked);
    }
}
