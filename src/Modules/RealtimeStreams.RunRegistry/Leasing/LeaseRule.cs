using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Naming;

namespace RealtimeStreams.RunRegistry.Leasing;

/// <summary>Which streams have a lease, and how long it is.</summary>
internal static class LeaseRule
{
    /// <summary>Whether a stream ends when its writers are gone. What readers send to a run, and what stands outside of runs, waits for its next writer for ever.</summary>
    public static bool HasLease(StreamAddress stream) => !HiddenRuns.MayBe(stream.Run) && InputStreams.FindName(stream.Key) is null;

    /// <summary>A lease as it is stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of its bounds.</exception>
    public static int? SecondsOf(TimeSpan? lease)
    {
        if (lease is not { } length) return null;
        ArgumentOutOfRangeException.ThrowIfLessThan(length, LeaseBounds.Shortest, nameof(lease));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LeaseBounds.Longest, nameof(lease));
        return (int)length.TotalSeconds;
    }

    /// <summary>How long a stored lease is.</summary>
    public static TimeSpan LengthOf(int? seconds, RunRegistryOptions options) =>
        seconds is { } stored ? TimeSpan.FromSeconds(stored) : options.WriterLease;
}
