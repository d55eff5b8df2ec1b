using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Streams;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Appending;

/// <summary>POST …/records: one batch in JSON or protobuf, or a session of them.</summary>
internal static class AppendRecords
{
    public const string SessionType = "s2s/proto";

    // A batch of 1 MiB of which every byte needs an escape of six characters, and some air.
    private const int MaxJsonBytes = 8 * 1024 * 1024;

    public static async Task<IResult> HandleAsync(
        HttpContext context, Call call, StreamDirectory directory, IAppender appender, AppendSessions sessions, RequestLimits limits)
    {
        var (target, error) = await directory.OpenAsync(context, call);
        if (error is not null) return Answers.Error(error);
        var type = context.Request.ContentType ?? "";
        if (MediaTypes.Is(type, SessionType))
        {
            if (limits.BecomeOpenBody(context) is { } full) return Answers.Error(S2Errors.From(full));
            await sessions.ServeAsync(context, call, target!);
            return Results.Empty;
        }
        var (batch, fault) = MediaTypes.Is(type, Answers.Protobuf)
            ? await ReadProtoAsync(context, target!.RulesFor(call))
            : await ReadJsonAsync(context, target!.RulesFor(call));
        if (fault is not null) return Answers.Error(fault);
        var count = batch!.Count;
        return await appender.AppendAsync(target.Address, batch, LeaseBounds.Longest, context.RequestAborted) switch
        {
            AppendOutcome.Stored stored => Answer(context.Request, AckOf(stored, count)),
            AppendOutcome.Refused refused => Answers.Error(S2Errors.From(refused)),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Where a batch stands. For one that was stored before, the tail is known only as far as the batch.</summary>
    public static AppendAck AckOf(AppendOutcome.Stored stored, int count)
    {
        var end = new StreamPosition(stored.Next.Value, stored.LastTimestamp);
        return new AppendAck(new StreamPosition(stored.First?.Value ?? stored.Next.Value - count, stored.FirstTimestamp), end, end);
    }

    private static IResult Answer(HttpRequest request, AppendAck ack) =>
        Formats.WantsProtobuf(request) ? Answers.Bytes(Answers.Protobuf, ack.WriteProto) : Answers.Bytes(Answers.Json, ack.WriteJson);

    private static ValueTask<(ChunkBatch? Batch, S2Error? Error)> ReadProtoAsync(HttpContext context, BatchRules rules) =>
        RequestBody.ReadAsync<ChunkBatch>(context, Frame.MaxPayload, bytes =>
        {
            using var builder = new BatchBuilder(rules);
            var error = AppendInputProto.Read(bytes.Span, builder, out var batch);
            return (batch, error);
        });

    private static async ValueTask<(ChunkBatch? Batch, S2Error? Error)> ReadJsonAsync(HttpContext context, BatchRules rules)
    {
        if (Formats.ReadBase64(context.Request, out var base64) is { } fault) return (null, fault);
        return await RequestBody.ReadAsync<ChunkBatch>(context, MaxJsonBytes, bytes =>
        {
            using var builder = new BatchBuilder(rules);
            var error = new AppendInputJson(builder, base64).Read(bytes.Span, out var batch);
            return (batch, error);
        });
    }
}
