using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>Reads bodies that are taken as a whole.</summary>
internal static class RequestBody
{
    private const int MaxDocumentBytes = 64 * 1024;

    /// <summary>Reads the body and has it read on. The bytes are lent for that time.</summary>
    /// <param name="context">The request.</param>
    /// <param name="most">The most bytes that it may have.</param>
    /// <param name="read">Reads it.</param>
    public static async ValueTask<(T? Value, S2Error? Error)> ReadAsync<T>(
        HttpContext context, int most, Func<ReadOnlyMemory<byte>, (T? Value, S2Error? Error)> read)
    {
        if (context.Request.Headers.ContentEncoding is [{ Length: > 0 } coding, ..] && coding != "identity")
            return (default, S2Error.BadHeader($"The content coding {MediaTypes.Shorten(coding)} is not taken here."));
        if (context.Request.ContentLength > most) return (default, TooLarge(most));
        var body = context.Request.BodyReader;
        var result = await body.ReadAtLeastAsync(most + 1, context.RequestAborted);
        try
        {
            if (result.Buffer.Length > most) return (default, TooLarge(most));
            using var memory = new FramePayload();
            return read(memory.Join(result.Buffer));
        }
        finally
        {
            body.AdvanceTo(result.Buffer.End);
        }
    }

    /// <summary>Reads a JSON document whose strings and names are text; null for an empty body. The caller disposes it.</summary>
    public static ValueTask<(JsonDocument? Value, S2Error? Error)> ReadDocumentAsync(HttpContext context) =>
        ReadAsync<JsonDocument>(context, MaxDocumentBytes, bytes =>
        {
            if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty) return (null, null);
            if (!JsonStrings.AreText(bytes.Span)) return (null, S2Error.BadJson("The body is not UTF-8, or one of its strings holds half a character (a surrogate without its partner)."));
            try
            {
                // Out of memory that is only lent.
                return (JsonDocument.Parse(bytes.ToArray()), null);
            }
            catch (JsonException)
            {
                return (null, S2Error.BadJson("The body is not valid JSON."));
            }
        });

    private static S2Error TooLarge(int most) => S2Error.Invalid($"The body has more than {most} bytes, the most that is taken here.");
}
