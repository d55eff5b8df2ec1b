using System.Diagnostics;

namespace RealtimeStreams.Benchmarks.Measuring;

/// <summary>Durations that were measured one by one, and what they come to.</summary>
internal sealed class Samples(int capacity = 1024)
{
    private readonly List<double> milliseconds = new(capacity);
    private bool sorted;

    public int Count => milliseconds.Count;

    /// <summary>Adds the time between two <see cref="Stopwatch"/> timestamps.</summary>
    public void Add(long began, long ended)
    {
        milliseconds.Add((ended - began) * 1000.0 / Stopwatch.Frequency);
        sorted = false;
    }

    /// <summary>The time in milliseconds that the given share (0 to 1) of the samples did not exceed; NaN without samples.</summary>
    public double Percentile(double share)
    {
        if (milliseconds.Count == 0) return double.NaN;
        if (!sorted) milliseconds.Sort();
        sorted = true;
        return milliseconds[Math.Clamp((int)Math.Ceiling(share * milliseconds.Count) - 1, 0, milliseconds.Count - 1)];
    }

    /// <summary>The middle of some values: of an even number the mean of both in the middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToArray();
        if (ordered.Length == 0) return double.NaN;
        var middle = ordered.Length / 2;
        return ordered.Length % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
    }
}
