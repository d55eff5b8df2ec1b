using System.Diagnostics;

namespace RealtimeStreams.Benchmarks.Measuring;

/// <summary>So many workers that each begin their next step when the last one is done.</summary>
internal static class ClosedLoop
{
    /// <summary>Runs the workers for a time and tells how many steps a second they made together, the last ones waited for.</summary>
    /// <param name="workers">How many.</param>
    /// <param name="duration">How long new steps are begun.</param>
    /// <param name="step">A step of the worker with the given number.</param>
    public static async Task<double> PerSecondAsync(int workers, TimeSpan duration, Func<int, Task> step)
    {
        var began = Stopwatch.GetTimestamp();
        var until = began + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(() => WorkAsync(worker, until, step))));
        return counts.Sum() / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>One worker; tells how long its steps took.</summary>
    public static async Task<Samples> TimeAsync(TimeSpan duration, Func<Task> step)
    {
        var samples = new Samples();
        var until = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        for (long began; (began = Stopwatch.GetTimestamp()) < until;)
        {
            await step();
            samples.Add(began, Stopwatch.GetTimestamp());
        }
        return samples;
    }

    private static async Task<long> WorkAsync(int worker, long until, Func<int, Task> step)
    {
        var count = 0L;
        for (; Stopwatch.GetTimestamp() < until; count++) await step(worker);
        return count;
    }
}
