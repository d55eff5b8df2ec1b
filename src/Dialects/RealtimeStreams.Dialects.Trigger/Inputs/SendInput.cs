using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Dialects.Trigger.Writing;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;

namespace RealtimeStreams.Dialects.Trigger.Inputs;

/// <summary>What is sent to a run.</summary>
internal sealed record InputBody([property: JsonPropertyName("data")] JsonElement? Data);

// A chunk may be 64 deep, and lies one level down.
[JsonSourceGenerationOptions(MaxDepth = 65)]
[JsonSerializable(typeof(InputBody))]
internal sealed partial class InputJson : JsonSerializerContext;

/// <summary>Sends a value to a run: a chunk of one of its input streams.</summary>
internal static class SendInput
{
    // What is around the value.
    private const int Frame = 4096;

    public static async Task<IResult> HandleAsync(
        HttpContext context, StreamPath stream, IAppender appender, IChunkLog log, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, InputJson.Default.InputBody, new InputBody(null), log.MaxChunkBytes + Frame);
        if (problem is not null) return new TriggerError(problem.Value.Status == 413 ? 413 : 400, problem.Value.Detail!, problem.Value.Code);
        // A client that sends nothing (undefined) leaves the field out.
        var value = body!.Data is { } data ? JsonMarshal.GetRawUtf8Value(data).ToArray() : "null"u8.ToArray();
        return await AppendChunk.AppendAsync(context, stream, appender, value, partId: "", cancellationToken);
    }
}
