using System.Buffers;

namespace RealtimeStreams.ChunkLog;

/// <summary>Writes UTF-8 as a JSON string, with as few escapes as JSON allows (RFC 8259, section 7).</summary>
public static class JsonText
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
        0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F,
        (byte)'"', (byte)'\\',
    ]);

    /// <summary>Where the first character is that a string cannot hold as it is; -1: nowhere.</summary>
    public static int IndexOfEscaped(ReadOnlySpan<byte> utf8) => utf8.IndexOfAny(Escaped);

    /// <summary>Writes text as a string, with its quotation marks.</summary>
    /// <param name="utf8">Valid UTF-8.</param>
    /// <param name="output">Where to.</param>
    public static void WriteString(ReadOnlySpan<byte> utf8, IBufferWriter<byte> output)
    {
        output.Write("\""u8);
        while (IndexOfEscaped(utf8) is var plain and >= 0)
        {
            output.Write(utf8[..plain]);
            WriteEscape(utf8[plain], output);
            utf8 = utf8[(plain + 1)..];
        }
        output.Write(utf8);
        output.Write("\""u8);
    }

    /// <summary>Writes the escape of one of the characters that need one.</summary>
    public static void WriteEscape(byte character, IBufferWriter<byte> output)
    {
        switch (character)
        {
            case (byte)'"': output.Write("\\\""u8); break;
            case (byte)'\\': output.Write("\\\\"u8); break;
            case (byte)'\n': output.Write("\\n"u8); break;
            case (byte)'\r': output.Write("\\r"u8); break;
            case (byte)'\t': output.Write("\\t"u8); break;
            default:
                output.Write("\\u00"u8);
                var digits = "0123456789abcdef"u8;
                output.Write([digits[character >> 4], digits[character & 15]]);
                break;
        }
    }
}
