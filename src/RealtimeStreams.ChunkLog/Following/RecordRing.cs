using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Following;

/// <summary>The newest records of a stream, without a hole, at most 256 KiB of them and always the newest one.</summary>
/// <remarks>Guarded by its hub's lock.</remarks>
internal sealed class RecordRing
{
    /// <summary>A reader may lag so far behind before it goes back to stored records: about a second of a fast model's tokens in hundreds of records.</summary>
    private const int MaxBytes = 256 * 1024;

    private readonly List<LogRecord> records = [];
    private int head;

    /// <summary>The bytes of the records and, as an estimate, of one framed form of each.</summary>
    public int Bytes { get; private set; }

    /// <summary>Adds the next record and drops old ones; a record that is not the next one empties the ring first.</summary>
    /// <param name="record">The record.</param>
    /// <param name="tight">Keeps only the newest: the process is at its bound.</param>
    public void Add(LogRecord record, bool tight)
    {
        if (head < records.Count && records[^1].NextIndex != record.FirstIndex) Clear();
        records.Add(record);
        Bytes += SizeOf(record);
        while (records.Count - head > 1 && (tight || Bytes > 2 * MaxBytes))
        {
            Bytes -= SizeOf(records[head]);
            records[head++] = null!;
        }
        // Moves what is left to the front once half of the list is empty: a constant cost a record.
        if (head > 32 && head > records.Count / 2)
        {
            records.RemoveRange(0, head);
            head = 0;
        }
    }

    /// <summary>The record that holds an index; null when it is not here.</summary>
    public LogRecord? Find(ChunkIndex index)
    {
        int low = head, high = records.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var record = records[middle];
            if (index < record.FirstIndex) high = middle - 1;
            else if (index >= record.NextIndex) low = middle + 1;
            else return record;
        }
        return null;
    }

    /// <summary>Drops the records that end before an index.</summary>
    public void DropBefore(ChunkIndex index)
    {
        while (head < records.Count && records[head].NextIndex <= index)
        {
            Bytes -= SizeOf(records[head]);
            records[head++] = null!;
        }
        if (head == records.Count) Clear();
    }

    public void Clear()
    {
        records.Clear();
        head = 0;
        Bytes = 0;
    }

    private static int SizeOf(LogRecord record) => 2 * record.Length;
}
