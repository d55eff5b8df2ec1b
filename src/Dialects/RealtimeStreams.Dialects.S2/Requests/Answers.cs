using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>Answers of requests that are not sessions: one piece with its length, so that a client sees all or nothing.</summary>
internal static class Answers
{
    public const string Json = "application/json";
    public const string Protobuf = "application/protobuf";

    /// <summary>An error.</summary>
    public static IResult Error(S2Error error) => new Answer(error.Status, Json, error.Body);

    /// <summary>A JSON object.</summary>
    /// <param name="content">Writes its properties.</param>
    /// <param name="status">The status.</param>
    public static IResult Object(Action<Utf8JsonWriter> content, int status = StatusCodes.Status200OK) => OfJson(json =>
    {
        json.WriteStartObject();
        content(json);
        json.WriteEndObject();
    }, status);

    /// <summary>JSON.</summary>
    public static IResult OfJson(Action<Utf8JsonWriter> content, int status = StatusCodes.Status200OK) => Bytes(Json, output =>
    {
        using var json = new Utf8JsonWriter(output, S2Json.WriterOptions);
        content(json);
    }, status);

    /// <summary>Anything.</summary>
    public static IResult Bytes(string contentType, Action<IBufferWriter<byte>> content, int status = StatusCodes.Status200OK)
    {
        var output = new ArrayBufferWriter<byte>(256);
        content(output);
        return new Answer(status, contentType, output.WrittenMemory);
    }

    /// <summary>Nothing but a status.</summary>
    public static IResult Empty(int status) => new Answer(status, null, default);

    private sealed class Answer(int status, string? contentType, ReadOnlyMemory<byte> body) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = status;
            response.ContentType = contentType;
            response.ContentLength = body.Length;
            response.Headers.CacheControl = "no-store";
            if (status == StatusCodes.Status429TooManyRequests && response.Headers.RetryAfter.Count == 0) response.Headers.RetryAfter = "1";
            return body.IsEmpty ? Task.CompletedTask : response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
        }
    }
}
