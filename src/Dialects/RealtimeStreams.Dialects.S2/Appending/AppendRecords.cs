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
        var (plan, error) = await directory.PlanAsync(context, call);
        if (error is not null) return Answers.Error(error);
        var type = context.Request.ContentType ?? "";
        if (MediaTypes.Is(type, SessionType))
        {
            (var stream, error) = await directory.OpenAsync(call, plan!, context.RequestAborted);
            if (error is not null) return Answers.Error(error);
            if (limits.BecomeOpenBody(context) is { } full) return Answers.Error(S2Errors.From(full));
            await sessions.ServeAsync(context, call, stream!);
            return Results.Empty;
        }
        var (batch, fault) = MediaTypes.Is(type, Answers.Protobuf)
            ? await ReadProtoAsync(context, plan!.RulesFor(call))
            : await ReadJsonAsync(context, plan!.RulesFor(call));
        if (fault is not null) return Answers.Error(fault);
        // Made only now: a body that is no append leaves no stream behind.
        var (target, refused) = await OpenForAsync(batch!, directory, call, plan, context.RequestAborted);
        if (refused is not null) return Answers.Error(refused);
        var count = batch!.Count;
        return await appender.AppendAsync(target!.Address, batch, LeaseBounds.Longest, context.RequestAborted) switch
        {
            AppendOutcome.Stored stored => Answer(context.Request, AckOf(stored, count)),
            AppendOutcome.Refused no => Answers.Error(S2Errors.From(no)),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Opens the stream, or gives the batch back that was meant for it.</summary>
    private static async ValueTask<(StreamTarget? Target, S2Error? Error)> OpenForAsync(
        ChunkBatch batch, StreamDirectory directory, Call call, StreamPlan plan, CancellationToken cancellationToken)
    {
        StreamTarget? target = null;
        try
        {
            (target, var error) = await directory.OpenAsync(call, plan, cancellationToken);
            return (target, error);
        }
        finally
        {
            if (target is null) batch.Dispose();
        }
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
