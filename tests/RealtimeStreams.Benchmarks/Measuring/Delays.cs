using System.Diagnostics;

namespace RealtimeStreams.Benchmarks.Measuring;

/// <summary>When each of some numbered chunks set out, and when it had reached the last of its readers.</summary>
internal sealed class Delays(int chunks, int readers)
{
    private readonly long[] began = new long[chunks];
    private readonly long[] last = new long[chunks];
    private readonly int[] arrivals = new int[chunks];
    private readonly TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int complete;
    private int strays;

    /// <summary>Chunks that came twice, or that nobody sent.</summary>
    public int Strays => strays;

    /// <summary>How many chunk arrivals are still missing.</summary>
    public long Missing => arrivals.Sum(count => (long)Math.Max(0, readers - count));

    public void Begin(int chunk) => Volatile.Write(ref began[chunk], Stopwatch.GetTimestamp());

    /// <summary>A reader has the chunk. Called by all readers at once.</summary>
    public void Arrive(long chunk)
    {
        var now = Stopwatch.GetTimestamp();
        if (chunk < 0 || chunk >= began.Length)
        {
            Interlocked.Increment(ref strays);
            return;
        }
        // Readers may overtake each other between the clock and here: the latest time stays.
        for (long seen; (seen = Volatile.Read(ref last[chunk])) < now;)
            if (Interlocked.CompareExchange(ref last[chunk], now, seen) == seen) break;
        var count = Interlocked.Increment(ref arrivals[chunk]);
        if (count > readers) Interlocked.Increment(ref strays);
        if (count == readers && Interlocked.Increment(ref complete) == began.Length) all.TrySetResult();
    }

    /// <summary>Waits until every chunk has reached every reader; false when that takes longer than <paramref name="limit"/>.</summary>
    public async Task<bool> WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await all.Task.WaitAsync(limit, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>From the beginning of each complete chunk to its last reader.</summary>
    public Samples ToSamples()
    {
        var samples = new Samples(began.Length);
        for (var i = 0; i < began.Length; i++)
            if (arrivals[i] >= readers) samples.Add(began[i], last[i]);
        return samples;
    }
}
