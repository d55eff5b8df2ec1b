using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>Reads small JSON bodies, and says what is wrong with them.</summary>
public static class JsonBody
{
    /// <summary>Reads the body.</summary>
    /// <typeparam name="T">What it must be.</typeparam>
    /// <param name="context">The request.</param>
    /// <param name="contract">Its JSON contract.</param>
    /// <param name="whenEmpty">What an empty body stands for.</param>
    /// <param name="maxBytes">The most bytes that the body may have.</param>
    /// <param name="otherType">A media type that is taken beside <c>application/json</c>.</param>
    public static async Task<(T? Value, ProblemResult? Problem)> ReadAsync<T>(
        HttpContext context, JsonTypeInfo<T> contract, T whenEmpty, int maxBytes, string? otherType = null)
        where T : class
    {
        var type = context.Request.ContentType;
        if (type is not null && !MediaTypes.Is(type, "application/json") && (otherType is null || !MediaTypes.Is(type, otherType)))
            return (null, Problems.From(ErrorCode.UnsupportedMediaType, $"The body must be application/json, not {MediaTypes.Shorten(type)}.", "Content-Type"));
        if (context.Request.ContentLength > maxBytes) return (null, TooLarge(maxBytes));
        using var body = new MemoryStream();
        var buffer = new byte[4096];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            body.Write(buffer, 0, count);
            if (body.Length > maxBytes) return (null, TooLarge(maxBytes));
        }
        var bytes = body.GetBuffer().AsSpan(0, (int)body.Length);
        if (bytes.Trim(" \t\r\n"u8).IsEmpty) return (whenEmpty, null);
        // The parser looks only into strings that are asked for; what is handed on as it stands has to be UTF-8 as well.
        if (!Utf8.IsValid(bytes)) return (null, Problems.From(ErrorCode.InvalidJson, "The body is not valid UTF-8."));
        try
        {
            return JsonSerializer.Deserialize(bytes, contract) is { } value
                ? (value, null)
                : (null, Problems.From(ErrorCode.InvalidRequest, "The body must be a JSON object, not null."));
        }
        catch (JsonException exception) when (exception.InnerException is JsonException)
        {
            return (null, Problems.From(ErrorCode.InvalidJson, "The body is not valid JSON."));
        }
        catch (JsonException exception)
        {
            var field = exception.Path is { Length: > 2 } path ? path[2..] : null;
            var what = field is null ? "The body must be a JSON object" : $"The field {field} has a value that it cannot have";
            return (null, Problems.From(ErrorCode.InvalidRequest, $"{what}.", field));
        }
    }

    private static ProblemResult TooLarge(int maxBytes) =>
        Problems.From(ErrorCode.BodyTooLarge, $"The body has more than {maxBytes} bytes, the most that is taken here.");
}
