using System.Buffers;

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
