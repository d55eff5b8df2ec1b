using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Unicode;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>Reads a body that is stored in one step or not at all.</summary>
internal static class WholeBody
{
    private static readonly Refusal Empty = new(ErrorCode.InvalidJson, "The body is empty; it must be one JSON value.");

    // White space around a chunk, or between the elements of an array, that is taken before the body counts as too large.
    private const int Slack = 4096;

    /// <summary>Fills <paramref name="batch"/> from the body.</summary>
    /// <returns>Why the body cannot be stored; null when it can.</returns>
    public static async ValueTask<Refusal?> ReadAsync(
        AppendRequest request, PipeReader body, ChunkBatch batch, int maxChunkBytes, CancellationToken cancellationToken)
    {
        var most = maxChunkBytes + Slack;
        if (request.BodyLength > most) return TooLarge(request.Body, $"{request.BodyLength}", maxChunkBytes);
        if (request.Body == BodyKind.Value)
        {
            return await TryCopyAsync(body, batch, most, cancellationToken)
                ? TakeValue(batch, maxChunkBytes)
                : TooLarge(request.Body, $"more than {most}", maxChunkBytes);
        }
        using var raw = new ChunkBatch((int)Math.Clamp(request.BodyLength ?? 0, 4096, most));
        if (!await TryCopyAsync(body, raw, most, cancellationToken)) return TooLarge(request.Body, $"more than {most}", maxChunkBytes);
        var bytes = ByteOrderMark.Skip(raw.Pending);
        return request.Body == BodyKind.Text ? TakeText(bytes, batch, maxChunkBytes) : TakeArray(bytes, batch, maxChunkBytes);
    }

    /// <summary>Adds a value that is in memory already.</summary>
    public static Refusal? TakeValue(ReadOnlySpan<byte> value, ChunkBatch batch, int maxChunkBytes)
    {
        batch.Write(value);
        return TakeValue(batch, maxChunkBytes);
    }

    private static async ValueTask<bool> TryCopyAsync(PipeReader body, ChunkBatch into, int most, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            if (result.IsCanceled) throw new OperationCanceledException("Reading the body was cancelled.");
            var fits = into.Pending.Length + result.Buffer.Length <= most;
            if (fits)
            {
                foreach (var segment in result.Buffer) into.Write(segment.Span);
            }
            body.AdvanceTo(result.Buffer.End);
            if (!fits || result.IsCompleted) return fits;
        }
    }

    private static Refusal? TakeValue(ChunkBatch batch, int maxChunkBytes)
    {
        ByteOrderMark.Drop(batch);
        var refusal = JsonLine.TryAdd(batch, maxChunkBytes);
        return refusal is null && batch.Count == 0 ? Empty : refusal?.Of("The body");
    }

    private static Refusal? TakeText(ReadOnlySpan<byte> text, ChunkBatch batch, int maxChunkBytes)
    {
        if (!Utf8.IsValid(text)) return new Refusal(ErrorCode.InvalidRequest, "The body is not valid UTF-8, which text/plain has to be here.");
        return TextChunk.TryAdd(text, maxChunkBytes, batch)
            ? null
            : JsonLine.TooLarge($"more than {maxChunkBytes}", maxChunkBytes).Of("The text, as a JSON string,");
    }

    private static Refusal? TakeArray(ReadOnlySpan<byte> json, ChunkBatch batch, int maxChunkBytes)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = JsonLine.MaxDepth + 1 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                return new Refusal(ErrorCode.InvalidJson, "With batch=true the body must be a JSON array.");
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (batch.Count == ChunkBatch.MaxCount)
                    return new Refusal(ErrorCode.BodyTooLarge, $"The array has more than {ChunkBatch.MaxCount} elements; that is the most of one batch.");
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                batch.Write(json[start..(int)reader.BytesConsumed]);
                if (JsonLine.TryAdd(batch, maxChunkBytes) is { } fault) return fault.Of($"Element {batch.Count} of the array");
            }
            reader.Read(); // Nothing may follow the array: throws if something does.
        }
        catch (JsonException exception)
        {
            return JsonLine.NotOneValue(exception).Of("The body");
        }
        return batch.Length > maxChunkBytes ? TooLarge(BodyKind.Array, $"{batch.Length}", maxChunkBytes) : null;
    }

    private static Refusal TooLarge(BodyKind kind, string size, int maxBytes) => kind == BodyKind.Array
        ? new Refusal(ErrorCode.BodyTooLarge, $"The array has {size} bytes; a batch may have at most {maxBytes}.")
        : JsonLine.TooLarge(size, maxBytes).Of("The body");
}
