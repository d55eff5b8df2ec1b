using System.Buffers;

namespace RealtimeStreams.Http;

/// <summary>Escapes UTF-8 for the inside of a JSON string, as little as JSON allows (RFC 8259, section 7).</summary>
internal static class JsonEscapes
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\']);

    /// <param name="utf8">Valid UTF-8.</param>
    /// <param name="output">Where to.</param>
    public static void Write(ReadOnlySpan<byte> utf8, IBufferWriter<byte> output)
    {
        while (utf8.IndexOfAny(Escaped) is var plain and >= 0)
        {
            output.Write(utf8[..plain]);
            WriteEscape(utf8[plain], output);
            utf8 = utf8[(plain + 1)..];
        }
        output.Write(utf8);
    }

    private static void WriteEscape(byte character, IBufferWriter<byte> output)
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
