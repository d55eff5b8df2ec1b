using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Writing;

/// <summary>Appends one chunk: the body is the chunk, a string whatever it looks like.</summary>
internal static class AppendChunk
{
    private const int MaxPartIdChars = 64;

    public static async Task<IResult> HandleAsync(
        HttpContext context, StreamPath stream, IAppender appender, IChunkLog log, CancellationToken cancellationToken)
    {
        var partId = context.Request.Headers[TriggerHeaders.PartId].ToString();
        if (partId.Length > MaxPartIdChars || partId.Any(letter => letter is < ' ' or > '~' or '"' or '\\'))
            return TriggerError.From(ErrorCode.InvalidRequest, $"The header {TriggerHeaders.PartId} must have 1 to {MaxPartIdChars} visible ASCII characters without quotation marks and backslashes.");
        var (text, refusal) = await SmallBody.ReadAsync(context.Request, log.MaxChunkBytes, cancellationToken);
        if (text is null) return TriggerError.From(refusal!);
        if (!Utf8.IsValid(text)) return TriggerError.From(ErrorCode.InvalidRequest, "The body is not UTF-8.");
        var chunk = new ArrayBufferWriter<byte>(text.Length + 16);
        JsonText.WriteString(text, chunk);
        return await AppendAsync(context, stream, appender, chunk.WrittenMemory, partId, cancellationToken);
    }

    /// <summary>Appends a line of JSON, once however often its request is sent.</summary>
    public static async Task<IResult> AppendAsync(
        HttpContext context, StreamPath stream, IAppender appender, ReadOnlyMemory<byte> json, string partId, CancellationToken cancellationToken)
    {
        var attributes = new ArrayBufferWriter<byte>();
        if (partId.Length > 0) ChunkAttributes.WritePartId(attributes, Encoding.ASCII.GetBytes(partId));
        var batch = new ChunkBatch(json.Length + attributes.WrittenCount + 16) { IdempotencyKey = RequestKey.Of(context.Request) };
        batch.Add(json.Span, ChunkForms.Of(json.Span), attributes.WrittenSpan);
        return await appender.AppendAsync(stream.Address, batch, LeaseBounds.Longest, cancellationToken) switch
        {
            AppendOutcome.Stored => Answers.Json("""{"ok":true}"""u8),
            AppendOutcome.Refused refused => TriggerError.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }
}
