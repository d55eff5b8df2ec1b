using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace RealtimeStreams.Sdk.Tests;

/// <summary>A stepped clock that tells which timers were set, so that a test steps on when somebody waits for it.</summary>
internal sealed class WatchedClock : FakeTimeProvider
{
    private readonly ConcurrentDictionary<TimeSpan, int> set = new();

    /// <summary>How many timers were made for so long so far, those of delays and of limits.</summary>
    public int TimersOf(TimeSpan due) => set.GetValueOrDefault(due);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        set.AddOrUpdate(dueTime, 1, (_, count) => count + 1);
        return timer;
    }
}
