using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Writing;

/// <summary>Appends one chunk: the body is the chunk, a string whatever it looks like.</summary>
internal static class AppendChunk
{
    public static async Task<IResult> HandleAsync(HttpContext context, StreamPath stream, IAppender appender, CancellationToken cancellationToken)
    {
        var request = new AppendRequest(BodyKind.Text, IdempotencyKey: RequestKey.Of(context.Request), BodyLength: context.Request.ContentLength);
        return Answer(await appender.AppendAsync(stream.Address, request, context.Request.BodyReader, cancellationToken));
    }

    public static IResult Answer(IngestOutcome outcome) => outcome switch
    {
        IngestOutcome.Stored => Answers.Json("""{"ok":true}"""u8),
        IngestOutcome.Refused refused => TriggerError.From(refused.Refusal),
        IngestOutcome.Interrupted interrupted when interrupted.Cause is BadHttpRequestException bad => TriggerError.From(bad),
        IngestOutcome.Interrupted => TriggerError.From(ErrorCode.InvalidRequest, "The body broke off before its end."),
        _ => throw new UnreachableException(),
    };
}
