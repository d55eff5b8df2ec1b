namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Watches over one grant: a timer for its expiry, and a place in the list of those that a revocation may end.</summary>
internal sealed class AccessWatch : IAccessWatch
{
    /// <summary>Timers take no more than 49 days; one that is due earlier than the grant ends is set again.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    private readonly Lock gate = new();
    private readonly CancellationTokenSource ended = new();
    private readonly TimeProvider clock;
    private readonly Action<AccessWatch> onDispose;
    private readonly ITimer timer;
    private AccessEnd? end;
    private bool disposed;

    public AccessWatch(AccessGrant grant, TimeProvider clock, Action<AccessWatch> onDispose)
    {
        Grant = grant;
        this.clock = clock;
        this.onDispose = onDispose;
        Ended = ended.Token;
        timer = clock.CreateTimer(static state => ((AccessWatch)state!).LookAtClock(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        LookAtClock();
    }

    public AccessGrant Grant { get; }

    public CancellationToken Ended { get; }

    public AccessEnd? End
    {
        get
        {
            lock (gate) return end;
        }
    }

    /// <summary>Ends the grant. Neither blocks nor throws: who is cancelled by it goes on elsewhere.</summary>
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
        timer.Dispose();
        onDispose(this);
        if (!ended.IsCancellationRequested) ended.Dispose(); // Otherwise its callbacks may still be running; it holds nothing then.
    }

    private void LookAtClock()
    {
        var left = Grant.ExpiresAt - clock.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            Finish(AccessEnd.Expired);
            return;
        }
        lock (gate)
        {
            // Never early: timers count whole milliseconds.
            if (!disposed) timer.Change(left < LongestTimer ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : LongestTimer, Timeout.InfiniteTimeSpan);
        }
    }
}
