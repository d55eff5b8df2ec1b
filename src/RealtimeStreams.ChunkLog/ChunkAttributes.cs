using System.Buffers;
using System.Buffers.Binary;

namespace RealtimeStreams.ChunkLog;

/// <summary>What a dialect keeps beside a chunk's bytes: the id of the part that it was, and record headers. A view; valid as long as its memory.</summary>
/// <remarks>Encoded as entries of a u8 type, a u32 length and so many bytes, little endian. Type 1: the part id. Type 2: a header, as the u32 length of its name, the name, the value.</remarks>
public readonly ref struct ChunkAttributes
{
    private const byte PartIdType = 1;
    private const byte HeaderType = 2;
    private const int EntryBytes = 1 + 4;

    private readonly ReadOnlySpan<byte> encoded;

    private ChunkAttributes(ReadOnlySpan<byte> encoded) => this.encoded = encoded;

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => encoded.IsEmpty;

    /// <summary>The part's id; empty: there is none.</summary>
    public ReadOnlySpan<byte> PartId
    {
        get
        {
            for (var rest = encoded; !rest.IsEmpty; rest = rest[SizeOf(rest)..])
                if (rest[0] == PartIdType) return rest[EntryBytes..SizeOf(rest)];
            return default;
        }
    }

    /// <summary>How many headers there are.</summary>
    public int HeaderCount
    {
        get
        {
            var count = 0;
            for (var rest = encoded; !rest.IsEmpty; rest = rest[SizeOf(rest)..])
                if (rest[0] == HeaderType) count++;
            return count;
        }
    }

    /// <summary>Reads encoded attributes.</summary>
    /// <exception cref="ArgumentException">They are not what the writers below write.</exception>
    public static ChunkAttributes Of(ReadOnlySpan<byte> encoded) =>
        FindFault(encoded) is { } fault ? throw new ArgumentException(fault, nameof(encoded)) : new ChunkAttributes(encoded);

    /// <summary>Writes a part's id.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="id">One byte or more.</param>
    public static void WritePartId(IBufferWriter<byte> output, ReadOnlySpan<byte> id)
    {
        WriteEntry(output, PartIdType, id.Length);
        output.Write(id);
    }

    /// <summary>Writes a header; they keep their order, and a name may come again.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="name">Its name, any bytes.</param>
    /// <param name="value">Its value, any bytes.</param>
    public static void WriteHeader(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        WriteEntry(output, HeaderType, 4 + name.Length + value.Length);
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), name.Length);
        output.Advance(4);
        output.Write(name);
        output.Write(value);
    }

    /// <summary>The headers, in their order.</summary>
    public Enumerator GetEnumerator() => new(encoded);

    /// <summary>What is wrong with encoded attributes; null: nothing.</summary>
    internal static string? FindFault(ReadOnlySpan<byte> encoded)
    {
        while (!encoded.IsEmpty)
        {
            if (encoded.Length < EntryBytes) return "a chunk's attributes are cut off";
            var length = BinaryPrimitives.ReadUInt32LittleEndian(encoded[1..]);
            if (length > encoded.Length - EntryBytes) return "a chunk's attributes are cut off";
            if (encoded[0] == HeaderType && (length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(encoded[EntryBytes..]) > length - 4))
                return "a chunk's header is cut off";
            encoded = encoded[SizeOf(encoded)..];
        }
        return null;
    }

    /// <summary>Attributes that were checked before.</summary>
    internal static ChunkAttributes Checked(ReadOnlySpan<byte> encoded) => new(encoded);

    private static int SizeOf(ReadOnlySpan<byte> entry) => EntryBytes + BinaryPrimitives.ReadInt32LittleEndian(entry[1..]);

    private static void WriteEntry(IBufferWriter<byte> output, byte type, int length)
    {
        var start = output.GetSpan(EntryBytes);
        start[0] = type;
        BinaryPrimitives.WriteInt32LittleEndian(start[1..], length);
        output.Advance(EntryBytes);
    }

    /// <summary>A record header.</summary>
    public readonly ref struct Header
    {
        internal Header(ReadOnlySpan<byte> entry)
        {
            var name = BinaryPrimitives.ReadInt32LittleEndian(entry[EntryBytes..]);
            Name = entry.Slice(EntryBytes + 4, name);
            Value = entry[(EntryBytes + 4 + name)..SizeOf(entry)];
        }

        /// <summary>Its name.</summary>
        public ReadOnlySpan<byte> Name { get; }

        /// <summary>Its value.</summary>
        public ReadOnlySpan<byte> Value { get; }
    }

    /// <summary>Goes through the headers.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> current;
        private ReadOnlySpan<byte> rest;

        internal Enumerator(ReadOnlySpan<byte> encoded) => rest = encoded;

        /// <summary>The header.</summary>
        public readonly Header Current => new(current);

        /// <summary>Goes on to the next header. False when there is none.</summary>
        public bool MoveNext()
        {
            while (!rest.IsEmpty)
            {
                current = rest;
                rest = rest[SizeOf(rest)..];
                if (current[0] == HeaderType) return true;
            }
            return false;
        }
    }
}
