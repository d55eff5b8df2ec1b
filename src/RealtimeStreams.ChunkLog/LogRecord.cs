using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>One to many chunks that were stored in one step; possibly none, when it only ends the stream. Immutable and shared.</summary>
public sealed class LogRecord
{
    private readonly ReadOnlyMemory<byte> body;
    private readonly int[] ends;
    private readonly DateTimeOffset[] times;

    internal LogRecord(
        ChunkIndex firstIndex, Outcome? end, long totalBytes, ReadOnlyMemory<byte> body, int[] ends, DateTimeOffset[] times)
    {
        FirstIndex = firstIndex;
        End = end;
        TotalBytes = totalBytes;
        this.body = body;
        this.ends = ends;
        this.times = times;
    }

    /// <summary>The index of the first chunk; for a record without chunks the index that the next would have had.</summary>
    public ChunkIndex FirstIndex { get; }

    /// <summary>How many chunks there are.</summary>
    public int Count => ends.Length;

    /// <summary>The index after the last chunk.</summary>
    public ChunkIndex NextIndex => FirstIndex.Plus(Count);

    /// <summary>How the stream ended with this record; null when it did not.</summary>
    public Outcome? End { get; }

    /// <summary>The bytes of all the stream's chunks up to and with this record.</summary>
    public long TotalBytes { get; }

    /// <summary>A chunk's bytes: one line of JSON.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public ReadOnlyMemory<byte> Chunk(int position) => body[(position == 0 ? 0 : ends[position - 1])..ends[position]];

    /// <summary>When a chunk was admitted.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public DateTimeOffset AdmittedAt(int position) => times[position];

    /// <summary>The chunks in a dialect's framing. Made once for all readers of the dialect.</summary>
    public FramedRecord Framed(IRecordFraming framing)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>(body.Length + 32 * Count + 1);
        var starts = new int[Count];
        for (var i = 0; i < Count; i++)
        {
            starts[i] = output.WrittenCount;
            framing.WriteChunk(this, i, output);
        }
        return new FramedRecord(FirstIndex, output.WrittenSpan.ToArray(), starts);
    }
}
