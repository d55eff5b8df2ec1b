using System.Buffers;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>A batch of records in the making, of pieces of the log's records in one framing: at most 1,000 records and 1 MiB, and what is left of the read's limits.</summary>
/// <param name="framing">How the records look.</param>
/// <param name="count">The most records of the whole read.</param>
/// <param name="bytes">The most metered bytes of the whole read.</param>
/// <param name="until">The timestamp before which the read ends.</param>
/// <param name="metered">Whether the metered size must be known although nothing depends on it.</param>
internal sealed class RecordBatch(IRecordFraming framing, long? count, long? bytes, long? until, bool metered)
{
    private readonly List<ReadOnlyMemory<byte>> pieces = [];
    private readonly bool walks = metered || count is not null || bytes is not null || until is not null;
    private LogRecord? left;
    private ChunkIndex leftFrom;
    private int batchMetered;

    /// <summary>The records of the batch so far.</summary>
    public int Count { get; private set; }

    /// <summary>Their bytes in the framing.</summary>
    public int Length { get; private set; }

    /// <summary>Behind the last record taken.</summary>
    public ChunkIndex Next { get; private set; }

    /// <summary>The records of all batches.</summary>
    public long TotalCount { get; private set; }

    /// <summary>The metered bytes of all batches; only where they are walked through.</summary>
    public long TotalMetered { get; private set; }

    /// <summary>Whether the batch must go out before more can be taken.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Whether a limit of the read is reached: nothing follows this batch.</summary>
    public bool IsLast { get; private set; } = count == 0 || bytes == 0;

    /// <summary>Takes as much of a record as there is room for. The rest comes into the next batch.</summary>
    public void Take(LogRecord record, ChunkIndex from)
    {
        var framed = record.Framed(framing);
        var all = framed.From(from);
        var first = (int)(from.Value - record.FirstIndex.Value);
        var position = first;
        if (!walks && Count + record.Count - first <= Metering.MaxRecords && Length + all.Length <= Metering.MaxBytes)
        {
            // Not walked through: what is framed is never less than what is metered.
            position = record.Count;
            Count += position - first;
            TotalCount += position - first;
        }
        else
        {
            while (position < record.Count && TryCount(record, position)) position++;
        }
        if (position < record.Count && !IsLast)
        {
            IsFull = true;
            (left, leftFrom) = (record, record.FirstIndex.Plus(position));
        }
        if (position == first) return;
        pieces.Add(position == record.Count ? all : all[..^framed.From(record.FirstIndex.Plus(position)).Length]);
        Length += pieces[^1].Length;
        Next = record.FirstIndex.Plus(position);
    }

    /// <summary>Writes the records one after the other.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        foreach (var piece in pieces) output.Write(piece.Span);
    }

    /// <summary>Begins the next batch, with what the last one had no room for.</summary>
    public void Clear()
    {
        pieces.Clear();
        Count = Length = batchMetered = 0;
        IsFull = false;
        if (left is not { } record) return;
        left = null;
        Take(record, leftFrom);
    }

    /// <summary>Counts a record in, if there is room for it.</summary>
    private bool TryCount(LogRecord record, int position)
    {
        var size = Metering.SizeOf(record, position);
        if (TotalCount >= count || TotalMetered + size > bytes || record.TimestampOf(position) >= until)
        {
            IsLast = true;
            return false;
        }
        // A record that is larger than a batch, which others may write, goes alone. Frames that were not walked through count with all their bytes.
        if (Count == Metering.MaxRecords || (Count > 0 && Math.Max(batchMetered, walks ? 0 : Length) + size > Metering.MaxBytes)) return false;
        batchMetered += size;
        TotalMetered += size;
        TotalCount++;
        Count++;
        IsLast = TotalCount == count || TotalMetered == bytes;
        return true;
    }
}
