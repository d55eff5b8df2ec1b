namespace RealtimeStreams.Dialects.S2.Tests;

/// <summary>A protobuf message, written by other means than the product's, and read into its fields.</summary>
internal sealed class Message
{
    private readonly List<byte> bytes = [];

    public byte[] Bytes => [.. bytes];

    public Message Number(int field, ulong value)
    {
        Varint((ulong)field << 3);
        Varint(value);
        return this;
    }

    public Message Field(int field, byte[] value)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)value.Length);
        bytes.AddRange(value);
        return this;
    }

    public Message Field(int field, Message value) => Field(field, value.Bytes);

    /// <summary>The message's fields: numbers as ulong, the rest as byte[].</summary>
    public static List<(int Field, object Value)> Read(ReadOnlySpan<byte> message)
    {
        var fields = new List<(int, object)>();
        while (message.Length > 0)
        {
            var tag = Take(ref message);
            switch (tag & 7)
            {
                case 0:
                    fields.Add(((int)(tag >> 3), Take(ref message)));
                    break;
                case 2:
                    var length = (int)Take(ref message);
                    fields.Add(((int)(tag >> 3), message[..length].ToArray()));
                    message = message[length..];
                    break;
                default:
                    throw new InvalidOperationException($"Type {tag & 7} is not used.");
            }
        }
        return fields;
    }

    private static ulong Take(ref ReadOnlySpan<byte> message)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var one = message[0];
            message = message[1..];
            value |= (ulong)(one & 0x7F) << shift;
            if (one < 0x80) return value;
        }
    }

    private void Varint(ulong value)
    {
        while (value > 0x7F)
        {
            bytes.Add((byte)(0x80 | (value & 0x7F)));
            value >>= 7;
        }
        bytes.Add((byte)value);
    }
}
