using System.Text.Json;
using System.Text.Unicode;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>Makes a chunk of what was written to a batch: exactly one JSON value, trimmed, on one line.</summary>
internal static class JsonLine
{
    /// <summary>The nesting that a chunk may have.</summary>
    public const int MaxDepth = 64;

    /// <summary>White space of JSON (RFC 8259, section 2).</summary>
    public static ReadOnlySpan<byte> Blank => " \t\r\n"u8;

    /// <summary>Adds the batch's pending bytes as a chunk, or drops them when they are blank.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="maxBytes">The most bytes of the trimmed chunk.</param>
    /// <returns>Why it is no chunk, as the rest of a sentence (see <see cref="Of"/>); then the bytes are dropped.</returns>
    public static Refusal? TryAdd(ChunkBatch batch, int maxBytes)
    {
        var raw = batch.Pending;
        var chunk = raw.Trim(Blank);
        if (chunk.IsEmpty)
        {
            batch.DropPending();
            return null;
        }
        if (FindFault(chunk, maxBytes) is { } fault)
        {
            batch.DropPending();
            return fault;
        }
        var length = chunk.Length;
        if (length != raw.Length) chunk.CopyTo(raw);
        // In valid JSON a raw line break stands between tokens only, where a space means the same.
        raw = raw[..length];
        if (raw.ContainsAny((byte)'\r', (byte)'\n'))
        {
            raw.Replace((byte)'\r', (byte)' ');
            raw.Replace((byte)'\n', (byte)' ');
        }
        batch.EndChunk(length);
        return null;
    }

    /// <summary>Completes a fault's sentence: what is at fault.</summary>
    public static Refusal Of(this Refusal fault, string what) => fault with { Detail = $"{what} {fault.Detail}" };

    public static Refusal TooLarge(string size, int maxBytes) =>
        new(ErrorCode.ChunkTooLarge, $"has {size} bytes; a chunk may have at most {maxBytes}.");

    public static Refusal NotOneValue(JsonException exception)
    {
        var message = exception.Message;
        var position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return new Refusal(ErrorCode.InvalidJson, $"is not one JSON value: {(position < 0 ? message : message[..position])}");
    }

    private static Refusal? FindFault(ReadOnlySpan<byte> chunk, int maxBytes)
    {
        if (chunk.Length > maxBytes) return TooLarge($"{chunk.Length}", maxBytes);
        // The reader below leaves the bytes inside strings unchecked.
        if (!Utf8.IsValid(chunk)) return new Refusal(ErrorCode.InvalidJson, "is not valid UTF-8.");
        var reader = new Utf8JsonReader(chunk, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
            {
            }
            return null;
        }
        catch (JsonException exception)
        {
            return NotOneValue(exception);
        }
    }
}
