using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>A record in the making, on top of a head.</summary>
internal sealed class StagedRecord
{
    public StreamHead Head { get; private set; } = new();

    public ProducerTable Producers { get; } = new();

    public List<StagedBatch> Batches { get; } = [];

    public List<StagedKey> Keys { get; } = [];

    /// <summary>The state after the record.</summary>
    public StreamState State { get; set; }

    /// <summary>When the earliest of its chunks was admitted, Unix milliseconds.</summary>
    public long Time { get; set; }

    /// <summary>When the last of its chunks was admitted, as far as the record can say.</summary>
    public DateTimeOffset LastAdmittedAt =>
        DateTimeOffset.FromUnixTimeMilliseconds(Time + (Batches is [.., var last] ? Math.Clamp(last.Timestamps.Arrival - Time, 0, ushort.MaxValue) : 0));

    /// <summary>Whether it tells that chunks expired.</summary>
    public bool Trims { get; set; }

    public Outcome? End { get; set; }

    public int Chunks { get; private set; }

    /// <summary>The bytes of its chunks, with their attributes.</summary>
    public int Bytes { get; private set; }

    /// <summary>The bytes of the extras of its batches, or a little more.</summary>
    public int ExtraBytes { get; private set; }

    /// <summary>The bytes of all the stream's chunks after it.</summary>
    public long TotalBytes { get; private set; }

    public ChunkIndex NextIndex => Head.NextIndex.Plus(Chunks);

    public void Begin(StreamHead head)
    {
        Head = head;
        Producers.CopyFrom(head.Producers);
        Batches.Clear();
        Keys.Clear();
        State = head.State;
        TotalBytes = head.TotalBytes;
        Chunks = Bytes = ExtraBytes = 0;
        End = null;
        Trims = false;
    }

    public void Add(in StagedBatch staged)
    {
        var batch = staged.Batch;
        var fresh = batch.Count - staged.Skip;
        if (Chunks == 0 || staged.Timestamps.Arrival < Time) Time = staged.Timestamps.Arrival;
        if (batch.IdempotencyKey is { } key)
            Keys.Add(new StagedKey(key, Chunks, fresh, staged.FirstTimestamp, staged.LastTimestamp));
        Batches.Add(staged);
        ExtraBytes += SizeOfExtras(batch);
        Chunks += fresh;
        Bytes += staged.Bytes;
        TotalBytes += staged.Bytes;
    }

    /// <summary>The bytes of the extras that a batch brings, unless its timestamp has to be raised.</summary>
    public static int SizeOfExtras(ChunkBatch batch) => RecordExtras.SizeOfKey(batch.IdempotencyKey) + RecordExtras.SizeOfTimestamps(batch);
}

/// <summary>A batch in a staged record.</summary>
/// <param name="Batch">The batch.</param>
/// <param name="Skip">How many of its chunks were stored before.</param>
/// <param name="Timestamps">Makes its chunks' timestamps.</param>
/// <param name="FirstTimestamp">The timestamp of its first new chunk.</param>
/// <param name="LastTimestamp">That of its last.</param>
internal readonly record struct StagedBatch(ChunkBatch Batch, int Skip, TimestampRule Timestamps, long FirstTimestamp, long LastTimestamp)
{
    public int Start => Skip == 0 ? 0 : Batch.Ends[Skip - 1];

    public int Bytes => Batch.Length - Start;
}

/// <summary>An idempotency key in a staged record, with its batch's chunks.</summary>
internal readonly record struct StagedKey(string Key, int FirstChunk, int Count, long FirstTimestamp, long LastTimestamp);
