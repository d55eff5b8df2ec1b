using System.Diagnostics;

namespace RealtimeStreams.Benchmarks.Measuring;

/// <summary>Steps at a steady rate, each begun when it is due, or at once when the one before took too long.</summary>
internal static class Pace
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    /// <summary>Makes <paramref name="count"/> steps, <paramref name="perSecond"/> of them a second.</summary>
    public static async Task RunAsync(int count, double perSecond, Func<int, Task> step, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            var due = began + (long)(i / perSecond * Stopwatch.Frequency);
            // Timers are exact to a millisecond or so; what is measured begins after the wait, so that this does no harm.
            while (Stopwatch.GetTimestamp() < due) await Task.Delay(Tick, TimeProvider.System, cancellationToken);
            await step(i);
        }
    }
}
