using System.Buffers;
using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>Writes UTF-8 text as a JSON string, with as few escapes as JSON allows (RFC 8259, section 7).</summary>
internal static class TextChunk
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
    [
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
        0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F,
        (byte)'"', (byte)'\\',
    ]);

    /// <summary>Writes the text, unless the string would have more than <paramref name="maxBytes"/>.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="maxBytes">The most bytes of the string with its quotation marks.</param>
    /// <param name="batch">Where to, as a chunk.</param>
    /// <returns>False when it is too long; nothing is added then.</returns>
    public static bool TryAdd(ReadOnlySpan<byte> text, int maxBytes, ChunkBatch batch)
    {
        batch.Write("\""u8);
        while (batch.Pending.Length + text.Length < maxBytes)
        {
            var plain = text.IndexOfAny(Escaped);
            if (plain < 0)
            {
                batch.Write(text);
                batch.Write("\""u8);
                batch.EndChunk(batch.Pending.Length);
                return true;
            }
            batch.Write(text[..plain]);
            WriteEscape(text[plain], batch);
            text = text[(plain + 1)..];
        }
        batch.DropPending();
        return false;
    }

    private static void WriteEscape(byte character, ChunkBatch batch)
    {
        switch (character)
        {
            case (byte)'"': batch.Write("\\\""u8); break;
            case (byte)'\\': batch.Write("\\\\"u8); break;
            case (byte)'\n': batch.Write("\\n"u8); break;
            case (byte)'\r': batch.Write("\\r"u8); break;
            case (byte)'\t': batch.Write("\\t"u8); break;
            default:
                batch.Write("\\u00"u8);
                var digits = "0123456789abcdef"u8;
                batch.Write([digits[character >> 4], digits[character & 15]]);
                break;
        }
    }
}
