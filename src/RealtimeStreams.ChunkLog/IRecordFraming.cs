using System.Buffers;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>Puts chunks into a dialect's framing. One instance a framing and process: the instance is what its results are kept under.</summary>
public interface IRecordFraming
{
    /// <summary>Writes one chunk of <paramref name="record"/>.</summary>
    /// <param name="record">The record.</param>
    /// <param name="position">Which chunk, 0 to <see cref="LogRecord.Count"/> - 1.</param>
    /// <param name="output">Where to.</param>
    void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output);
}

/// <summary>A record's chunks in a dialect's framing.</summary>
public sealed class FramedRecord
{
    private readonly ChunkIndex first;
    private readonly byte[] bytes;
    private readonly int[] starts;

    internal FramedRecord(ChunkIndex first, byte[] bytes, int[] starts)
    {
        this.first = first;
        this.bytes = bytes;
        this.starts = starts;
    }

    /// <summary>The bytes of the chunks from <paramref name="cursor"/> on.</summary>
    /// <param name="cursor">An index of the record.</param>
    public ReadOnlyMemory<byte> From(ChunkIndex cursor) =>
        bytes.AsMemory(cursor <= first ? 0 : starts[checked((int)(cursor.Value - first.Value))]);
}
