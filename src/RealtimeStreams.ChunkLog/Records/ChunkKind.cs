using System.Buffers.Binary;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>The last byte of a chunk's entry in a record: its form, and whether attributes stand in front of its bytes.</summary>
internal static class ChunkKind
{
    /// <summary>The bytes of the length in front of attributes.</summary>
    public const int LengthBytes = 4;

    private const byte FormMask = 0x03;
    private const byte HasAttributes = 0x80;

    public static byte Of(ChunkForm form, bool hasAttributes) => (byte)((byte)form | (hasAttributes ? HasAttributes : 0));

    public static ChunkForm FormOf(byte kind) => (ChunkForm)(kind & FormMask);

    /// <summary>The bytes of the attributes, with their length, in front of a chunk.</summary>
    public static int SizeOfAttributes(byte kind, ReadOnlySpan<byte> stored) =>
        (kind & HasAttributes) == 0 ? 0 : LengthBytes + BinaryPrimitives.ReadInt32LittleEndian(stored);

    /// <summary>What is wrong with a chunk as it is stored; null: nothing.</summary>
    public static string? FindFault(byte kind, ReadOnlySpan<byte> stored)
    {
        if (kind == 0) return null;
        if ((kind & ~(FormMask | HasAttributes)) != 0) return "a chunk's form is unknown";
        if ((kind & HasAttributes) == 0) return null;
        if (stored.Length < LengthBytes) return "a chunk's attributes are cut off";
        var length = BinaryPrimitives.ReadUInt32LittleEndian(stored);
        return length > stored.Length - LengthBytes
            ? "a chunk's attributes are cut off"
            : ChunkAttributes.FindFault(stored.Slice(LengthBytes, (int)length));
    }
}
