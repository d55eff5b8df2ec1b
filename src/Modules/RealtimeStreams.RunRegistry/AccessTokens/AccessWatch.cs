namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Watches over one credential: a timer for its expiry, and a place in the list of those that a revocation may end.</summary>
internal sealed class AccessWatch : IAccessWatch
{
    /// <summary>Timers take no more than 49 days; one that is due earlier than the credential ends is set again.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    private readonly Lock gate = new();
    private readonly CancellationTokenSource ended = new();
    private readonly TimeProvider clock;
    private readonly Action<AccessWatch> onDispose;
    private ITimer? timer; // None for a key that is valid until somebody says otherwise.
    private DateTimeOffset? until;
    private AccessEnd? end;
    private bool disposed;

    public AccessWatch(Credential credential, TimeProvider clock, Action<AccessWatch> onDispose)
    {
        Credential = credential;
        this.clock = clock;
        this.onDispose = onDispose;
        Ended = ended.Token;
        KeyEnds(credential.Key?.ExpiresAt);
    }

    public Credential Credential { get; }

    public CancellationToken Ended { get; }

    public AccessEnd? End
    {
        get
        {
            lock (gate) return end;
        }
    }

    /// <summary>Says when the key is none any more; null: nobody knows of an end.</summary>
    public void KeyEnds(DateTimeOffset? at)
    {
        lock (gate)
        {
            until = Credential.Grant is { ExpiresAt: var expiresAt } && !(at < expiresAt) ? expiresAt : at;
            LookAtClock();
        }
    }

    /// <summary>Ends the credential. Neither blocks nor throws: who is cancelled by it goes on elsewhere.</summary>
    public void Finish(AccessEnd reason)
    {
        lock (gate)
        {
            if (disposed || end is not null) return;
            end = reason;
            _ = ended.CancelAsync(); // Its callbacks are the requests', which would hold up whoever revokes; and they do not throw.
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
        }
        timer?.Dispose(); // Not set any more once the watch is disposed.
        onDispose(this);
        if (!ended.IsCancellationRequested) ended.Dispose(); // Otherwise its callbacks may still be running; it holds nothing then.
    }

    private void LookAtClock()
    {
        lock (gate)
        {
            if (disposed || end is not null || until is not { } at) return;
            var left = at - clock.GetUtcNow();
            if (left <= TimeSpan.Zero)
            {
                Finish(AccessEnd.Expired);
                return;
            }
            timer ??= clock.CreateTimer(static state => ((AccessWatch)state!).LookAtClock(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            // Never early: timers count whole milliseconds.
            timer.Change(left < LongestTimer ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : LongestTimer, Timeout.InfiniteTimeSpan);
        }
    }
}
