using System.Buffers;
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
        // 32 bytes a chunk hold the framings that there are, with an index of ten digits, so that the buffer seldom grows.
        var output = new ArrayBufferWriter<byte>(record.Length + 32 * record.Count + 1);
        var starts = new int[record.Count];
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = output.WrittenCount;
            framing.WriteChunk(record, i, output);
        }
        return new FramedRecord(record.FirstIndex, output.WrittenMemory, starts);
    }
}
