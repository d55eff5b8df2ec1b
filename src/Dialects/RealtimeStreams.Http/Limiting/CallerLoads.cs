using System.Collections.Concurrent;

namespace RealtimeStreams.Http.Limiting;

/// <summary>The loads of many callers, found without a lock. Idle ones are dropped while new ones come; those that do not fit share one load.</summary>
internal sealed class CallerLoads<TKey>(int capacity, TimeProvider clock)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, CallerLoad> loads = new();
    private readonly CallerLoad shared = new();
    private readonly Lock gate = new();
    private readonly long second = clock.TimestampFrequency;

    // Changed under the gate.
    private int count;
    private long lastSweep;

    /// <summary>How many are counted by themselves.</summary>
    public int Count => Volatile.Read(ref count);

    public CallerLoad? Find(TKey key) => loads.TryGetValue(key, out var load) ? load : null;

    public CallerLoad Get(TKey key)
    {
        var now = clock.GetTimestamp();
        var load = loads.TryGetValue(key, out var known) ? known : Add(key, now);
        load.Touch(now, second);
        return load;
    }

    private CallerLoad Add(TKey key, long now)
    {
        lock (gate)
        {
            if (loads.TryGetValue(key, out var raced)) return raced;
            // A full one is looked through once a second at most, any other every ten seconds.
            if (now - lastSweep > (count >= capacity ? second : 10 * second)) Sweep(now);
            if (count >= capacity) return shared;
            var load = new CallerLoad();
            load.Touch(now, second: -1);
            loads[key] = load;
            count++;
            return load;
        }
    }

    private void Sweep(long now)
    {
        lastSweep = now;
        foreach (var (key, load) in loads)
        {
            // Who has it in hand at this moment goes on with a load of his own: then a caller who was silent for long is counted twice, once.
            if (load.IsIdle(now, second) && loads.TryRemove(key, out _)) count--;
        }
    }
}
