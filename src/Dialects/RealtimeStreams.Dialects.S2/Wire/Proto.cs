using System.Buffers;
using System.Numerics;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>Writes the pieces of protobuf messages. As proto3 has it, numbers and bytes that are zero or empty are left out.</summary>
internal static class Proto
{
    private const int MaxVarintBytes = 10;

    /// <summary>The bytes of a number without its tag.</summary>
    public static int SizeOf(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>The bytes of a number's field, with a tag of one byte.</summary>
    public static int SizeOfNumber(long value) => value == 0 ? 0 : 1 + SizeOf((ulong)value);

    /// <summary>The bytes of a field of so many bytes, with a tag of one byte.</summary>
    public static int SizeOfBytes(int length) => 1 + SizeOf((ulong)length) + length;

    public static void WriteNumber(IBufferWriter<byte> output, int field, long value)
    {
        if (value == 0) return;
        WriteTag(output, field, 0);
        WriteVarint(output, (ulong)value);
    }

    /// <summary>Begins a field of so many bytes, which the caller writes next: bytes, or a message.</summary>
    public static void BeginBytes(IBufferWriter<byte> output, int field, int length)
    {
        WriteTag(output, field, 2);
        WriteVarint(output, (ulong)length);
    }

    public static void WriteBytes(IBufferWriter<byte> output, int field, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        BeginBytes(output, field, bytes.Length);
        output.Write(bytes);
    }

    public static int SizeOfPosition(StreamPosition position) => SizeOfNumber(position.SeqNum) + SizeOfNumber(position.Timestamp);

    /// <summary>Writes a position, which is there even where all of it is zero: clients need the message.</summary>
    public static void WritePosition(IBufferWriter<byte> output, int field, StreamPosition position)
    {
        BeginBytes(output, field, SizeOfPosition(position));
        WriteNumber(output, 1, position.SeqNum);
        WriteNumber(output, 2, position.Timestamp);
    }

    private static void WriteTag(IBufferWriter<byte> output, int field, int type) => WriteVarint(output, (ulong)((field << 3) | type));

    private static void WriteVarint(IBufferWriter<byte> output, ulong value)
    {
        var span = output.GetSpan(MaxVarintBytes);
        var length = 0;
        for (; value >= 0x80; value >>= 7) span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        output.Advance(length);
    }
}
