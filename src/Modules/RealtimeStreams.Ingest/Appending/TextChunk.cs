using System.Buffers;
using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>Makes a chunk of UTF-8 text: a JSON string of it.</summary>
internal static class TextChunk
{
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
            var plain = JsonText.IndexOfEscaped(text);
            if (plain < 0)
            {
                batch.Write(text);
                batch.Write("\""u8);
                batch.EndChunk(batch.Pending.Length);
                return true;
            }
            batch.Write(text[..plain]);
            JsonText.WriteEscape(text[plain], batch);
            text = text[(plain + 1)..];
        }
        batch.DropPending();
        return false;
    }
}
