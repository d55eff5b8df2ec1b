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
    private StreamAdmission.Admitted? admission;

    /// <summary>Whether the run changed after this was made. What is learnt from then on, by whoever still holds it, is seen by nobody.</summary>
    public bool IsForgotten => forgotten;

    /// <summary>About how many streams are remembered.</summary>
    public int StreamCount => admittedUntil.Count;

    public void Forget()
    {
        forgotten = true;
        Admission?.Usage?.End(); // Of a run that has a count it is its end or its erasure that is told.
    }

    /// <summary>The yes to the run's streams, if one was said.</summary>
    public StreamAdmission.Admitted? Admission => Volatile.Read(ref admission);

    /// <summary>The yes to a stream that was admitted not long ago.</summary>
    public StreamAdmission.Admitted? FindAdmitted(StreamKey key, long now) =>
        admittedUntil.TryGetValue(key, out var until) && now < until ? admission : null;

    /// <summary>Keeps one yes for all streams of the run: the first stays.</summary>
    public StreamAdmission.Admitted Keep(StreamAdmission.Admitted said) => Interlocked.CompareExchange(ref admission, said, null) ?? said;

    /// <summary>Remembers that a stream was admitted, after a yes was kept. True when it had not been remembered.</summary>
    public bool Admit(StreamKey key, long until)
    {
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
