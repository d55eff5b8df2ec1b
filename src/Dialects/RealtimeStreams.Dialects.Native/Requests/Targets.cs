using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>The words that stand for a run in a path.</summary>
internal static class Targets
{
    public static bool Names(string segment) => segment is "self" or "parent" or "root";

    /// <summary>The run that the word stands for. A run without a parent is its own parent and root, as in the reference.</summary>
    /// <returns>Null when there is no run <paramref name="own"/>.</returns>
    public static async ValueTask<RunId?> FindAsync(
        IRunRegistry registry, EnvironmentId environment, RunId own, string target, CancellationToken cancellationToken)
    {
        if (target == "self") return own;
        if (await registry.FindFamilyAsync(environment, own, cancellationToken) is not { } family) return null;
        return target == "parent" ? family.Parent ?? own : family.Root ?? family.Parent ?? own;
    }
}
