using System.Collections.Concurrent;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Finds the run that <c>self</c>, <c>parent</c> or <c>root</c> stands for.</summary>
/// <remarks>
/// A run without a parent is its own parent and root, as in the reference. The family of a run never changes, and is remembered for 30 s
/// (a run can be erased, and its id registered anew): an append to a warm stream asks no database. At most 10,000 runs, about
/// 4 MB; when there are more, all are forgotten.
/// </remarks>
internal sealed class Targets(IRunRegistry registry, TimeProvider clock)
{
    private const int MaxRuns = 10_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(EnvironmentId, RunId), (RunId Parent, RunId Root, long Learned)> families = new();

    public static bool Names(string segment) => segment is "self" or "parent" or "root";

    /// <returns>Null when there is no run <paramref name="own"/>.</returns>
    public async ValueTask<RunId?> FindAsync(EnvironmentId environment, RunId own, string target, CancellationToken cancellationToken)
    {
        if (target == "self") return own;
        if (!families.TryGetValue((environment, own), out var family) || clock.GetElapsedTime(family.Learned) > Lifetime)
        {
            if (await registry.FindAsync(environment, own, cancellationToken) is not { } run) return null;
            family = (run.Parent ?? own, run.Root ?? run.Parent ?? own, clock.GetTimestamp());
            if (families.Count >= MaxRuns) families.Clear();
            families[(environment, own)] = family;
        }
        return target == "parent" ? family.Parent : family.Root;
    }
}
