using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Streams;

internal static class CloseStream
{
    // What is around the final chunk.
    private const int Frame = 4096;

    // A chunk may be 64 deep, and lies one level down.
    private static readonly JsonTypeInfo<Protocol.CloseStream> Contract =
        new NativeJson(new JsonSerializerOptions(NativeJson.Default.Options) { MaxDepth = 65 }).CloseStream;

    public static async Task<Results<JsonHttpResult<CloseReceipt>, ProblemResult>> HandleAsync(
        HttpContext context, StreamPath stream, IAppender appender, IChunkLog log, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, Contract, new Protocol.CloseStream(), log.MaxChunkBytes + Frame);
        if (problem is not null || !ProducerHeaders.TryRead(context.Request.Headers, out var producer, out problem)) return problem!;
        var outcome = body!.Outcome ?? Outcome.Completed;
        if (outcome is not (Outcome.Completed or Outcome.Failed or Outcome.Cancelled))
            return Problems.From(ErrorCode.InvalidRequest, "The field outcome must be completed, failed or cancelled.", "outcome");
        ReadOnlyMemory<byte>? final = body.FinalChunk is { } chunk ? JsonMarshal.GetRawUtf8Value(chunk).ToArray() : default(ReadOnlyMemory<byte>?);
        return await appender.CloseAsync(stream.Address, new CloseRequest(outcome, final, producer), cancellationToken) switch
        {
            CloseOutcome.Closed closed =>
                Answers.Json(new CloseReceipt(closed.Next.Value, closed.Outcome, closed.AlreadyClosed), WireJson.Contracts.CloseReceipt),
            CloseOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }
}
