using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Naming;

/// <summary>The named streams that this node found not long ago. Bounded; forgotten when a change of their hidden run is announced.</summary>
/// <remarks>Only streams that are there are remembered. When there are too many, all are forgotten: each costs one query to find again.</remarks>
internal sealed class NamedStreamCache(IOptions<RunRegistryOptions> options, TimeProvider clock)
{
    /// <summary>Some 50 MB with long names and configurations of the usual 200 bytes.</summary>
    private const int Capacity = 20_000;

    private readonly Lock gate = new();
    private readonly Dictionary<(EnvironmentId, string), Entry> byName = [];
    private readonly Dictionary<(EnvironmentId, RunId), string> names = [];
    private long changes;

    /// <summary>Counts what was forgotten. To be read before the database is asked, and given to <see cref="Remember"/>.</summary>
    public long Changes => Volatile.Read(ref changes);

    public NamedStream? Find(EnvironmentId environment, string name)
    {
        lock (gate)
        {
            return byName.TryGetValue((environment, name), out var entry) && clock.GetElapsedTime(entry.Since) < options.Value.CacheTime
                ? entry.Stream
                : null;
        }
    }

    /// <summary>Remembers what was found, unless something has changed since: then it may be that.</summary>
    public void Remember(NamedStream stream, long seen)
    {
        lock (gate)
        {
            if (changes != seen) return;
            if (byName.Count >= Capacity)
            {
                byName.Clear();
                names.Clear();
            }
            var environment = stream.Address.Environment;
            if (byName.TryGetValue((environment, stream.Name), out var before)) names.Remove((environment, before.Stream.Address.Run));
            byName[(environment, stream.Name)] = new Entry(stream, clock.GetTimestamp());
            names[(environment, stream.Address.Run)] = stream.Name;
        }
    }

    /// <summary>The hidden run changed, if it is one.</summary>
    public void Forget(EnvironmentId environment, RunId run)
    {
        if (!HiddenRuns.MayBe(run)) return;
        lock (gate)
        {
            changes++;
            if (names.Remove((environment, run), out var name)) byName.Remove((environment, name));
        }
    }

    private sealed record Entry(NamedStream Stream, long Since);
}
