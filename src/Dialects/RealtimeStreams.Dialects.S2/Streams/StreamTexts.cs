using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>What a client is told of streams.</summary>
internal static class StreamTexts
{
    public const string ResultHeader = "s2-provision-result";
    public const string Created = "created";
    public const string Updated = "updated";
    public const string Unchanged = "noop";

    /// <summary>A stream that was made, changed or found.</summary>
    public static IResult Info(HttpContext context, string name, DateTimeOffset createdAt, string result, int status)
    {
        context.Response.Headers[ResultHeader] = result;
        return Answers.Object(json => WriteInfo(json, name, createdAt), status);
    }

    public static void WriteInfo(Utf8JsonWriter json, string name, DateTimeOffset createdAt)
    {
        json.WriteString("name", name);
        json.WriteString("created_at", createdAt);
        json.WriteNull("deleted_at");
        json.WriteNull("cipher");
    }
}
