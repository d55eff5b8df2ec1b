using System.Collections.Concurrent;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>What this node knows of one environment's revocations, and the grants that are in use here.</summary>
internal sealed class KnownRevocations(EnvironmentId environment, RevocationStore store, TimeSpan keep, TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<AccessWatch, byte> watches = new();
    private readonly SemaphoreSlim turn = new(1, 1); // Of reading the database.
    private volatile RevokedTokens revoked = RevokedTokens.None;
    private long readAt;     // When the database was last asked, a timestamp. Written in turn.
    private long readAllAt;  // And for everything.
    private volatile bool isRead;
    private long usedAt = clock.GetTimestamp();

    /// <summary>How long nobody has asked; zero while a grant is in use.</summary>
    public TimeSpan Idle => watches.IsEmpty ? clock.GetElapsedTime(Volatile.Read(ref usedAt)) : TimeSpan.Zero;

    /// <summary>What is revoked, as of at most the cache time ago; about a second in fact, as the rounds read it anew.</summary>
    public async ValueTask<RevokedTokens> FindAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref usedAt, clock.GetTimestamp());
        if (!isRead || clock.GetElapsedTime(Volatile.Read(ref readAt)) > keep) await ReadAsync(onlyIfOld: true, cancellationToken);
        return revoked;
    }

    /// <summary>Asks the database for what is new, ends the grants in use that are revoked by it.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken) => ReadAsync(onlyIfOld: false, cancellationToken);

    public void Add(AccessWatch watch)
    {
        watches.TryAdd(watch, 0);
        if (revoked.Revokes(watch.Grant)) watch.Finish(AccessEnd.Revoked); // It was revoked between being verified and being watched.
    }

    public void Remove(AccessWatch watch)
    {
        Volatile.Write(ref usedAt, clock.GetTimestamp());
        watches.TryRemove(watch, out _);
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
        foreach (var (watch, _) in watches)
            if (revoked.Revokes(watch.Grant)) watch.Finish(AccessEnd.Revoked);
    }
}
