using System.Buffers;
using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>
/// What the Trigger client makes of a chunk: <c>{"data":…,"id":"…"}</c>, as <c>JSON.stringify</c> writes it. In a run's stream only the chunk is stored
/// as one, with the id beside it, so that every other reader gets the chunk and S2's readers get the envelope back byte for byte.
/// </summary>
internal static class Envelope
{
    private const int MaxIdBytes = 64;

    private static ReadOnlySpan<byte> Opening => "{\"data\":"u8;

    private static ReadOnlySpan<byte> Middle => ",\"id\":\""u8;

    private static ReadOnlySpan<byte> Closing => "\"}"u8;

    private static readonly SearchValues<byte> InIds =
        SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Select(character => (byte)character).Except("\"\\"u8.ToArray())]);

    /// <summary>Takes a body apart, if it is an envelope and nothing would be lost.</summary>
    /// <param name="body">The body.</param>
    /// <param name="data">The chunk: one line of JSON without blanks around it.</param>
    /// <param name="id">The part's id: 1 to 64 visible ASCII characters that need no escape.</param>
    public static bool TryOpen(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> data, out ReadOnlySpan<byte> id)
    {
        data = id = default;
        if (!body.StartsWith(Opening) || !body.EndsWith(Closing)) return false;
        var inner = body[Opening.Length..^Closing.Length];
        var idLength = inner.Length - 1 - inner.LastIndexOfAnyExcept(InIds);
        if (idLength is 0 or > MaxIdBytes || !inner[..^idLength].EndsWith(Middle)) return false;
        data = inner[..^(idLength + Middle.Length)];
        id = inner[^idLength..];
        return data is not ([] or [(byte)' ' or (byte)'\t', ..] or [.., (byte)' ' or (byte)'\t']) && ChunkForms.Of(data) == ChunkForm.Json;
    }

    /// <summary>The bytes of a stored chunk as a body.</summary>
    public static int SizeOf(LogRecord record, int position, ChunkAttributes attributes)
    {
        var chunk = record.Chunk(position).Length;
        return attributes.PartId is { IsEmpty: false } id ? Opening.Length + chunk + Middle.Length + id.Length + Closing.Length : chunk;
    }

    /// <summary>Writes a stored chunk as the body that it was, or would have been.</summary>
    public static void WriteBody(LogRecord record, int position, ChunkAttributes attributes, IBufferWriter<byte> output)
    {
        if (attributes.PartId is not { IsEmpty: false } id)
        {
            output.Write(record.Chunk(position).Span);
            return;
        }
        output.Write(Opening);
        output.Write(record.Chunk(position).Span);
        output.Write(Middle);
        output.Write(id);
        output.Write(Closing);
    }
}
