using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Streams;

internal static class AppendChunks
{
    private const int MaxIdempotencyKeyBytes = 128;

    private static readonly Refusal credentialEnded =
        new(ErrorCode.Unauthorized, "The credential is valid no more. What had been read is stored; send the rest with a new one.");

    private static readonly Refusal stopping =
        new(ErrorCode.ShuttingDown, "The server is stopping. What it had read is stored; send the rest again.");

    public static async Task<Results<JsonHttpResult<AppendReceipt>, ProblemResult, LastAnswer>> HandleAsync(
        HttpContext context, Caller caller, StreamPath stream, IAppender appender, ICredentials credentials, RequestLimits limits, IHostApplicationLifetime lifetime)
    {
        if (!TryReadBodyKind(context.Request, out var kind, out var problem)
            || !ProducerHeaders.TryRead(context.Request.Headers, out var producer, out problem)
            || !TryReadIdempotencyKey(context.Request, kind, out var idempotencyKey, out problem)
            || !LeaseHeader.TryRead(context.Request.Headers, out var lease, out problem))
        {
            return problem!;
        }
        var request = new AppendRequest(kind, producer, idempotencyKey, context.Request.ContentLength, lease);
        var cancellation = context.RequestAborted;
        // A body that may last for hours lasts no longer than the credential; a whole one was allowed when it came.
        using var watch = kind == BodyKind.Lines ? credentials.Watch(caller.Credential) : null;
        using var ending = watch is null ? null : CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, watch.Ended);
        if (ending is not null)
        {
            if (limits.BecomeOpenBody(context) is { } full) return new LastAnswer(Problems.From(full));
            OpenEnded.LiftRequestLimits(context);
            // Not ended by the sender's going away: lines that arrived before it did are read and stored.
            cancellation = ending.Token;
        }
        return await appender.AppendAsync(stream.Address, request, context.Request.BodyReader, cancellation) switch
        {
            IngestOutcome.Stored stored => Answers.Json(stored.Receipt, WireJson.Contracts.AppendReceipt),
            IngestOutcome.Refused refused => new ProblemResult(
                Problems.Describe(refused.Refusal) with { Receipt = refused.Receipt, ExpectedSequence = refused.ExpectedSequence }),
            IngestOutcome.Interrupted interrupted when watch?.End is not null =>
                new LastAnswer(new ProblemResult(Problems.Describe(credentialEnded) with { Receipt = interrupted.Receipt })),
            IngestOutcome.Interrupted interrupted when lifetime.ApplicationStopping.IsCancellationRequested =>
                new LastAnswer(new ProblemResult(Problems.Describe(stopping) with { Receipt = interrupted.Receipt })),
            IngestOutcome.Interrupted interrupted =>
                new ProblemResult(Problems.Describe(Explain(interrupted.Cause)) with { Receipt = interrupted.Receipt }),
            _ => throw new UnreachableException(),
        };
    }

    private static Refusal Explain(Exception cause) =>
        cause is BadHttpRequestException ? Problems.Explain(cause) : new Refusal(ErrorCode.InvalidRequest, "The body broke off before its end.");

    private static bool TryReadBodyKind(HttpRequest request, out BodyKind kind, out ProblemResult? problem)
    {
        kind = default;
        problem = null;
        if (request.Headers.ContentEncoding is [{ Length: > 0 } coding, ..] && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            problem = Problems.From(
                ErrorCode.UnsupportedMediaType, $"The content coding {MediaTypes.Shorten(coding)} is not taken here.", "Content-Encoding");
            return false;
        }
        var type = request.ContentType ?? "";
        var batch = request.Query["batch"];
        if (batch.Count > 0 && batch.ToString() is not ("true" or "false"))
        {
            problem = Problems.From(ErrorCode.InvalidRequest, "The parameter batch must be true or false.", "batch");
            return false;
        }
        if (MediaTypes.Is(type, "application/json"))
        {
            kind = batch == "true" ? BodyKind.Array : BodyKind.Value;
            return true;
        }
        if (MediaTypes.Is(type, "text/plain")) kind = BodyKind.Text;
        else if (MediaTypes.Is(type, "application/x-ndjson") || MediaTypes.Is(type, "application/ndjson") || MediaTypes.Is(type, "application/jsonl"))
            kind = BodyKind.Lines;
        else
        {
            var sent = type.Length == 0 ? "No media type was sent" : $"{MediaTypes.Shorten(type)} is not taken here";
            problem = Problems.From(
                ErrorCode.UnsupportedMediaType,
                $"{sent}; application/json, text/plain and application/x-ndjson are, in UTF-8.",
                "Content-Type");
        }
        if (problem is null && batch == "true")
            problem = Problems.From(ErrorCode.InvalidRequest, "The parameter batch=true goes with application/json only.", "batch");
        return problem is null;
    }

    private static bool TryReadIdempotencyKey(HttpRequest request, BodyKind kind, out string? key, out ProblemResult? problem)
    {
        key = null;
        problem = null;
        var header = request.Headers[NativeHeaders.IdempotencyKey];
        if (header.Count == 0) return true;
        key = header.ToString();
        var bytes = Encoding.UTF8.GetByteCount(key);
        var fault = kind == BodyKind.Lines ? "covers one step, and NDJSON is stored in several; number the lines as a producer instead"
            : bytes is 0 or > MaxIdempotencyKeyBytes ? $"has {bytes} bytes; it must have 1 to {MaxIdempotencyKeyBytes}"
            : null;
        if (fault is not null)
            problem = Problems.From(ErrorCode.InvalidRequest, $"The header {NativeHeaders.IdempotencyKey} {fault}.", NativeHeaders.IdempotencyKey);
        return problem is null;
    }
}
