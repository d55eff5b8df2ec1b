using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>A record's chunks in a dialect's framing.</summary>
public sealed class FramedRecord
{
    private readonly ChunkIndex first;
    private readonly ReadOnlyMemory<byte> bytes;
    private readonly int[] starts;

    private FramedRecord(ChunkIndex first, ReadOnlyMemory<byte> bytes, int[] starts)
    {
        this.first = first;
        this.bytes = bytes;
        this.starts = starts;
    }

    /// <summary>The bytes of the chunks from <paramref name="cursor"/> on.</summary>
    /// <param name="cursor">An index of the record, or one before it.</param>
    public ReadOnlyMemory<byte> From(ChunkIndex cursor) =>
        cursor <= first ? bytes : bytes[starts[checked((int)(cursor.Value - first.Value))]..];

    internal static FramedRecord Of(LogRecord record, IRecordFraming framing)
    {
        // Made in borrowed memory and kept in just as much as it needs: framings differ in what they put around a chunk.
        using var output = new ChunkBatch(record.Length + 128 * record.Count + 1);
        var starts = new int[record.Count];
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = output.Pending.Length;
            framing.WriteChunk(record, i, output);
        }
        var bytes = GC.AllocateUninitializedArray<byte>(output.Pending.Length);
        output.Pending.CopyTo(bytes);
        return new FramedRecord(record.FirstIndex, bytes, starts);
    }
}
