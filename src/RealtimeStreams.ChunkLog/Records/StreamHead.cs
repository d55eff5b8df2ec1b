using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>What a stream's log amounts to: the fold of its records. Decides what the next record may be.</summary>
/// <remarks>Not for several threads at once: its owner is the stream's appender.</remarks>
internal sealed class StreamHead
{
    /// <summary>The JetStream sequence of the last record; 0: there is none.</summary>
    public ulong Sequence { get; private set; }

    public ChunkIndex NextIndex { get; private set; }

    public long TotalBytes { get; private set; }

    /// <summary>How many of <see cref="TotalBytes"/> were removed after a trim; known as of the last load.</summary>
    public long RemovedBytes { get; set; }

    public Outcome? End { get; private set; }

    /// <summary>When the last chunk, or the end, was admitted.</summary>
    public DateTimeOffset LastAppendAt { get; private set; }

    /// <summary>Trim point, fencing token and last timestamp.</summary>
    public StreamState State { get; private set; } = StreamState.Empty;

    public ProducerTable Producers { get; } = new();

    public IdempotencyTable Keys { get; } = new();

    /// <summary>The sequence of the last record that has idempotency keys; 0: none.</summary>
    public ulong LastKeyedSequence { get; private set; }

    /// <summary>Takes in a later record of the stream. Records between may be left out, except those with idempotency keys.</summary>
    public void Apply(LogRecord record)
    {
        Sequence = record.Sequence;
        NextIndex = record.NextIndex;
        TotalBytes = record.TotalBytes;
        End = record.End ?? End;
        LastAppendAt = record.LastAdmittedAt;
        State = record.State;
        Producers.CopyFrom(record.Producers());
        LastKeyedSequence = record.LastKeyedSequence;
        ApplyKeys(record);
    }

    /// <summary>Takes in the record that follows, from its writer's own notes. The same as <see cref="Apply"/> of what was stored.</summary>
    public void Advance(
        ulong sequence, ChunkIndex nextIndex, long totalBytes, Outcome? end, DateTimeOffset lastAppendAt, StreamState state, ProducerTable producers, bool hasKeys)
    {
        Sequence = sequence;
        LastAppendAt = lastAppendAt;
        NextIndex = nextIndex;
        TotalBytes = totalBytes;
        End = end ?? End;
        State = state;
        Producers.CopyFrom(producers);
        if (hasKeys) LastKeyedSequence = sequence;
    }

    /// <summary>Takes in only the idempotency keys of a record, older records first.</summary>
    public void ApplyKeys(LogRecord record)
    {
        foreach (var (key, first, count) in record.IdempotencyKeys())
        {
            if (count == 0) continue; // Not written so.
            Keys.Add(key, new IdempotencyTable.Entry(
                record.FirstIndex.Plus(first), count, record.Time, record.TimestampOf(first), record.TimestampOf(first + count - 1)));
            LastKeyedSequence = record.Sequence;
        }
    }

    /// <summary>Forgets everything: the stream has no records any more.</summary>
    public void Clear()
    {
        Sequence = LastKeyedSequence = 0;
        NextIndex = default;
        TotalBytes = RemovedBytes = 0;
        End = null;
        LastAppendAt = default;
        State = StreamState.Empty;
        Producers.CopyFrom([]);
        Keys.Forget(DateTimeOffset.MaxValue);
    }
}
