using System.Collections.Concurrent;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Admitting;

/// <summary>What this node remembers of one run. Filled by many at once; forgotten once and for ever.</summary>
internal sealed class RunMemory
{
    private readonly ConcurrentDictionary<StreamKey, long> admittedUntil = new();
    private readonly ConcurrentDictionary<StreamKey, (int Lease, long Until)> leases = new(concurrencyLevel: 1, capacity: 0); // Of streams that were admitted.
    private volatile bool forgotten;
    private volatile FamilyMemory? family;
    private StreamsVersion version;

    /// <summary>Whether the run changed after this was made. What is learnt from then on, by whoever still holds it, is seen by nobody.</summary>
    public bool IsForgotten => forgotten;

    /// <summary>About how many streams are remembered.</summary>
    public int StreamCount => admittedUntil.Count;

    public void Forget() => forgotten = true;

    /// <summary>The version of a stream's run, if the stream was admitted not long ago.</summary>
    public StreamsVersion? FindAdmitted(StreamKey key, long now) =>
        admittedUntil.TryGetValue(key, out var until) && now < until ? version : null;

    /// <summary>Remembers that a stream was admitted. True when it had not been remembered.</summary>
    public bool Admit(StreamKey key, StreamsVersion ofRun, long until)
    {
        version = ofRun; // Never changes while there is the run, and is there before the key is.
        if (admittedUntil.TryAdd(key, until)) return true;
        admittedUntil[key] = until;
        return false;
    }

    public void ForgetStreams()
    {
        admittedUntil.Clear();
        leases.Clear();
    }

    /// <summary>The lease, in seconds, that was asked for a stream not long ago.</summary>
    public int? FindLease(StreamKey key, long now) => leases.TryGetValue(key, out var known) && now < known.Until ? known.Lease : null;

    public void RememberLease(StreamKey key, int lease, long until) => leases[key] = (lease, until);

    public RunFamily? FindFamily(long now) => family is { } known && now < known.Until ? known.Family : null;

    public void Remember(RunFamily known, long until) => family = new FamilyMemory(known, until);

    private sealed record FamilyMemory(RunFamily Family, long Until);
}
