using Microsoft.Extensions.Time.Testing;

namespace RealtimeStreams.Retention.Tests;

/// <summary>A clock that stands still but for steps of exactly one wait of the sweeper, and so of exactly one sweep.</summary>
internal sealed class SteppedClock : FakeTimeProvider
{
    private readonly SemaphoreSlim begun = new(0);
    private TimeSpan lastWait;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (period != Timeout.InfiniteTimeSpan) return timer; // Not a wait but somebody's beat.
        lastWait = dueTime;
        begun.Release();
        return timer;
    }

    /// <summary>Lets the sweeper's wait pass, and returns its length once the sweep is done and the next wait has begun.</summary>
    public async Task<TimeSpan> StepAsync()
    {
        await BeginningAsync();
        var wait = lastWait;
        Advance(wait);
        await BeginningAsync();
        begun.Release(); // It still waits, for the next step.
        return wait;
    }

    /// <summary>Waits until the sweeper waits, which then is to be stopped. One that is stopped before that never begins.</summary>
    public async Task ForgetWaitAsync() => await BeginningAsync();

    private async Task BeginningAsync()
    {
        if (!await begun.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken))
            throw new TimeoutException("The sweeper did not begin to wait within a minute.");
    }
}
