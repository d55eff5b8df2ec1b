using System.Buffers;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>The server-sent events of an S2 read, which Trigger's clients read too. Does not flush.</summary>
/// <param name="output">Where to.</param>
public readonly struct RecordEvents(IBufferWriter<byte> output)
{
    /// <summary>Records.</summary>
    /// <param name="elements">JSON elements, with a comma in front of each.</param>
    /// <param name="last">The index of the last of them.</param>
    /// <param name="records">How many records the reader has been given by now.</param>
    /// <param name="bytes">How many metered bytes.</param>
    /// <param name="tail">Where the stream ends, when the records reach it.</param>
    /// <returns>The bytes written, nearly.</returns>
    public int WriteBatch(ReadOnlySpan<byte> elements, ChunkIndex last, long records, long bytes, RecordTail? tail)
    {
        output.Write("event: batch\nid: "u8);
        WriteNumber(last.Value);
        output.Write(","u8);
        WriteNumber(records);
        output.Write(","u8);
        WriteNumber(bytes);
        output.Write("\ndata: {\"records\":["u8);
        output.Write(elements.IsEmpty ? elements : elements[1..]);
        output.Write("]"u8);
        if (tail is { } end) WriteTail(end);
        output.Write("}\n\n"u8);
        return elements.Length + 64;
    }

    /// <summary>A sign of life.</summary>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="tail">Where the stream ends.</param>
    public void WritePing(long now, RecordTail tail)
    {
        output.Write("event: ping\ndata: {\"timestamp\":"u8);
        WriteNumber(now);
        WriteTail(tail);
        output.Write("}\n\n"u8);
    }

    /// <summary>Nothing follows.</summary>
    public void WriteDone() => output.Write("data: [DONE]\n\n"u8);

    private void WriteTail(RecordTail tail)
    {
        output.Write(",\"tail\":{\"seq_num\":"u8);
        WriteNumber(tail.Next.Value);
        output.Write(",\"timestamp\":"u8);
        WriteNumber(tail.LastTimestamp);
        output.Write("}"u8);
    }

    private void WriteNumber(long value) => RecordElements.WriteNumber(value, output);
}

/// <summary>Where a stream ends.</summary>
/// <param name="Next">The index that its next chunk will get.</param>
/// <param name="LastTimestamp">The last chunk's time in Unix milliseconds; 0 when there is none.</param>
public readonly record struct RecordTail(ChunkIndex Next, long LastTimestamp);
