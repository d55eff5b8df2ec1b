using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Writes a record's extras, and checks them. In this order: the stream's state, timestamps, idempotency keys.</summary>
internal static class RecordExtras
{
    private const int StateBytes = 8 + 8;

    public static int SizeOfKey(string? key) => key is null ? 0 : RecordLayout.ExtraBytes + Encoding.UTF8.GetByteCount(key);

    public static int SizeOfState(StreamState state) => RecordLayout.ExtraBytes + StateBytes + Encoding.UTF8.GetByteCount(state.FencingToken);

    /// <summary>The most that a batch's own timestamps add.</summary>
    public static int SizeOfTimestamps(ChunkBatch batch) =>
        batch.Timestamps.IsEmpty ? 0 : new TimestampRun(0, batch.Count, batch.Count).Size;

    public static int WriteState(Span<byte> output, StreamState state)
    {
        var content = output[RecordLayout.ExtraBytes..];
        BinaryPrimitives.WriteInt64LittleEndian(content, state.TrimPoint.Value);
        BinaryPrimitives.WriteInt64LittleEndian(content[8..], state.LastTimestamp);
        return WriteStart(output, RecordLayout.ExtraState, 0, 0, StateBytes + Encoding.UTF8.GetBytes(state.FencingToken, content[StateBytes..]));
    }

    public static int WriteTimestamps(Span<byte> output, TimestampRun run, ReadOnlySpan<long> values)
    {
        for (var i = 0; i < run.Values; i++)
            BinaryPrimitives.WriteInt64LittleEndian(output[(RecordLayout.ExtraBytes + i * sizeof(long))..], values[i]);
        return WriteStart(output, RecordLayout.ExtraTimestamps, run.First, run.Count, run.Values * sizeof(long));
    }

    public static int WriteKey(Span<byte> output, string key, int firstChunk, int count) =>
        WriteStart(output, RecordLayout.ExtraIdempotencyKey, firstChunk, count, Encoding.UTF8.GetBytes(key, output[RecordLayout.ExtraBytes..]));

    /// <summary>The type of an extra, the chunks that it stands for, and its content.</summary>
    public static (byte Type, int First, int Count) Read(ReadOnlySpan<byte> extra, out ReadOnlySpan<byte> content)
    {
        content = extra.Slice(RecordLayout.ExtraBytes, BinaryPrimitives.ReadUInt16LittleEndian(extra[5..]));
        return (extra[0], BinaryPrimitives.ReadUInt16LittleEndian(extra[1..]), BinaryPrimitives.ReadUInt16LittleEndian(extra[3..]));
    }

    public static ChunkIndex ReadTrimPoint(ReadOnlySpan<byte> state) => new(BinaryPrimitives.ReadInt64LittleEndian(state));

    public static long ReadLastTimestamp(ReadOnlySpan<byte> state) => BinaryPrimitives.ReadInt64LittleEndian(state[8..]);

    public static string ReadToken(ReadOnlySpan<byte> state) => Encoding.UTF8.GetString(state[StateBytes..]);

    /// <summary>What is wrong with a record's extras; null: nothing.</summary>
    /// <param name="extras">All of them.</param>
    /// <param name="count">How many chunks the record has.</param>
    /// <param name="nextIndex">The index after the last one.</param>
    public static string? FindFault(ReadOnlySpan<byte> extras, int count, long nextIndex)
    {
        for (var isFirst = true; extras.Length > 0; isFirst = false)
        {
            if (extras.Length < RecordLayout.ExtraBytes || extras.Length < RecordLayout.ExtraBytes + BinaryPrimitives.ReadUInt16LittleEndian(extras[5..]))
                return "its extras are cut off";
            var (type, first, chunks) = Read(extras, out var content);
            if (first + chunks > count) return "an extra stands for chunks that are not there";
            var fault = type switch
            {
                RecordLayout.ExtraState => isFirst ? FindFaultInState(content, nextIndex) : "its state is not its first extra",
                RecordLayout.ExtraTimestamps => FindFaultInTimestamps(content, chunks),
                _ => null,
            };
            if (fault is not null) return fault;
            extras = extras[(RecordLayout.ExtraBytes + content.Length)..];
        }
        return null;
    }

    private static string? FindFaultInState(ReadOnlySpan<byte> content, long nextIndex)
    {
        if (content.Length is < StateBytes or > StateBytes + ChunkBatch.MaxTokenBytes || !Utf8.IsValid(content[StateBytes..])) return "its state is malformed";
        if (BinaryPrimitives.ReadInt64LittleEndian(content) is var trimPoint && (trimPoint < 0 || trimPoint > nextIndex)) return "its trim point is out of range";
        return BinaryPrimitives.ReadInt64LittleEndian(content[8..]) < 0 ? "its last timestamp is out of range" : null;
    }

    private static string? FindFaultInTimestamps(ReadOnlySpan<byte> content, int chunks)
    {
        if (chunks == 0 || (content.Length != sizeof(long) && content.Length != chunks * sizeof(long))) return "its timestamps are cut off";
        for (; content.Length > 0; content = content[sizeof(long)..])
            if (BinaryPrimitives.ReadInt64LittleEndian(content) < 0) return "a timestamp is out of range";
        return null;
    }

    private static int WriteStart(Span<byte> output, byte type, int first, int count, int length)
    {
        output[0] = type;
        BinaryPrimitives.WriteUInt16LittleEndian(output[1..], (ushort)first);
        BinaryPrimitives.WriteUInt16LittleEndian(output[3..], (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(output[5..], (ushort)length);
        return RecordLayout.ExtraBytes + length;
    }
}
