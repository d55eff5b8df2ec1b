using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>The idempotency keys that a stream took in the last ten minutes, at most 4,096 (about 1 MiB with keys of 128 bytes).</summary>
internal sealed class IdempotencyTable
{
    public const int MaxKeys = 4096;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Entry> byKey = new(StringComparer.Ordinal);
    private readonly Queue<(string Key, DateTimeOffset Time)> byAge = new();

    public int Count => byKey.Count;

    public bool TryFind(string key, out Entry entry) => byKey.TryGetValue(key, out entry);

    /// <summary>Remembers a key, older ones first.</summary>
    public void Add(string key, Entry entry)
    {
        byKey[key] = entry;
        byAge.Enqueue((key, entry.Time));
        Forget(entry.Time - Window);
    }

    /// <summary>Forgets what is older than <paramref name="limit"/>, and the oldest beyond the bound.</summary>
    public void Forget(DateTimeOffset limit)
    {
        while (byAge.TryPeek(out var oldest) && (oldest.Time < limit || byAge.Count > MaxKeys))
        {
            byAge.Dequeue();
            // A key that was stored again after its window stands in the queue twice.
            if (byKey.TryGetValue(oldest.Key, out var entry) && entry.Time == oldest.Time) byKey.Remove(oldest.Key);
        }
    }

    /// <param name="First">The index of the first chunk of the batch.</param>
    /// <param name="Count">How many it has.</param>
    /// <param name="Time">The time of the record.</param>
    /// <param name="FirstTimestamp">The timestamp of the first chunk.</param>
    /// <param name="LastTimestamp">That of the last.</param>
    public readonly record struct Entry(ChunkIndex First, int Count, DateTimeOffset Time, long FirstTimestamp, long LastTimestamp);
}
