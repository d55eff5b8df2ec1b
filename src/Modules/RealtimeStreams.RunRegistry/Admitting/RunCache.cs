using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Admitting;

/// <summary>What this node remembers of runs. Bounded, and each answer by time too.</summary>
/// <remarks>
/// Two generations: what is used moves to the younger, and when that is full it becomes the older and the older is dropped. So at
/// most <see cref="RunRegistryOptions.CachedStreams"/> streams (plus runs without streams, counted alike) are held, at some 300 bytes each with short keys.
/// </remarks>
internal sealed class RunCache
{
    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly long lifetime;
    private readonly int halfCapacity;

    // Changed under the gate; the younger is read without it.
    private ConcurrentDictionary<RunName, RunMemory> younger = new();
    private ConcurrentDictionary<RunName, RunMemory> older = new();
    private int weight;

    public RunCache(IOptions<RunRegistryOptions> options, TimeProvider clock)
    {
        this.clock = clock;
        lifetime = (long)(options.Value.CacheTime.TotalSeconds * clock.TimestampFrequency);
        halfCapacity = options.Value.CachedStreams / 2;
    }

    /// <summary>The yes to a stream that was admitted not long ago.</summary>
    public StreamAdmission.Admitted? FindAdmitted(StreamAddress stream) =>
        Find(new RunName(stream.Environment, stream.Run))?.FindAdmitted(stream.Key, clock.GetTimestamp());

    /// <summary>A run's parent and root, if they were asked for not long ago.</summary>
    public RunFamily? FindFamily(EnvironmentId environment, RunId run) =>
        Find(new RunName(environment, run))?.FindFamily(clock.GetTimestamp());

    /// <summary>
    /// What is remembered of a run, perhaps nothing yet. To be taken before the database is asked: when the run changes in between, what
    /// is then written here has been forgotten already.
    /// </summary>
    public RunMemory Open(EnvironmentId environment, RunId run)
    {
        var name = new RunName(environment, run);
        if (Find(name) is { } known) return known;
        lock (gate)
        {
            if (younger.TryGetValue(name, out var raced) && !raced.IsForgotten) return raced;
            var memory = new RunMemory();
            Keep(name, memory);
            return memory;
        }
    }

    /// <summary>Remembers that a stream was admitted, after <see cref="RunMemory.Keep"/>.</summary>
    public void Admit(RunMemory memory, StreamKey key)
    {
        if (memory.StreamCount >= halfCapacity) memory.ForgetStreams(); // One run does not take all, and does not fill a generation for ever.
        if (!memory.Admit(key, clock.GetTimestamp() + lifetime)) return;
        lock (gate)
        {
            weight++;
            RotateWhenFull();
        }
    }

    /// <summary>The lease, in seconds, that was asked for a stream not long ago.</summary>
    public int? FindLease(StreamAddress stream) => Find(new RunName(stream.Environment, stream.Run))?.FindLease(stream.Key, clock.GetTimestamp());

    public void RememberLease(RunMemory memory, StreamKey key, int lease) => memory.RememberLease(key, lease, clock.GetTimestamp() + lifetime);

    public void Remember(RunMemory memory, RunFamily family) => memory.Remember(family, clock.GetTimestamp() + lifetime);

    /// <summary>The run ended or was erased: nothing that is remembered of it is answered any more.</summary>
    public void Forget(EnvironmentId environment, RunId run)
    {
        var name = new RunName(environment, run);
        lock (gate)
        {
            if (younger.TryRemove(name, out var young)) young.Forget();
            if (older.TryRemove(name, out var old)) old.Forget();
        }
    }

    private RunMemory? Find(RunName name)
    {
        if (Volatile.Read(ref younger).TryGetValue(name, out var memory)) return memory.IsForgotten ? null : memory;
        lock (gate)
        {
            if (!older.TryRemove(name, out memory)) return null;
            Keep(name, memory);
            return memory;
        }
    }

    private void Keep(RunName name, RunMemory memory)
    {
        younger[name] = memory;
        weight += 1 + memory.StreamCount;
        RotateWhenFull();
    }

    private void RotateWhenFull()
    {
        if (weight <= halfCapacity) return;
        older = younger;
        Volatile.Write(ref younger, new ConcurrentDictionary<RunName, RunMemory>());
        weight = 0;
    }

    private readonly record struct RunName(EnvironmentId Environment, RunId Run);
}
