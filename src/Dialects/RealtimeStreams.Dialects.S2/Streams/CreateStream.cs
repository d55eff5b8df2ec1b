using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>POST /streams: a new stream. The same request again, by its token, finds the stream that it made.</summary>
internal static class CreateStream
{
    private const string TokenHeader = "s2-request-token";

    public static async Task<IResult> HandleAsync(HttpContext context, Call call, StreamDirectory directory, RunStreams ofRuns, INamedStreams streams)
    {
        var (document, error) = await RequestBody.ReadDocumentAsync(context);
        if (error is not null) return Answers.Error(error);
        using (document)
        {
            if (document is null || document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("stream", out var text) || text.ValueKind != JsonValueKind.String)
            {
                return Answers.Error(S2Error.BadJson("The body must be a JSON object with the name of the stream as stream."));
            }
            if (StreamName.TryParse(text.GetString()) is not { } name)
                return Answers.Error(S2Error.Invalid("A stream's name has 1 to 512 bytes of UTF-8 without U+0000, and is neither . nor ..."));
            document.RootElement.TryGetProperty("config", out var changes);
            if (StreamConfig.Default.TryChange(changes, directory.RetentionOf(call.Environment), out var config) is { } fault) return Answers.Error(fault);
            if (name.Run is not null) return await ofRuns.CreateAsync(context, call.Environment, name, config);
            var token = context.Request.Headers[TokenHeader].ToString();
            var outcome = await streams.CreateAsync(
                call.Environment, name.Text, config.Stored(), config.Age, token.Length > 0 ? token : null, context.RequestAborted);
            return outcome switch
            {
                NamedStreamOutcome.Made { Stream: var made, New: var isNew } => StreamTexts.Info(
                    context, made.Name, made.CreatedAt, isNew ? StreamTexts.Created : StreamTexts.Unchanged, StatusCodes.Status201Created),
                NamedStreamOutcome.Taken => Answers.Error(S2Error.AlreadyExists($"There is a stream {name.Text} already.")),
                NamedStreamOutcome.Refused refused => Answers.Error(S2Errors.From(refused.Refusal)),
                _ => throw new UnreachableException(),
            };
        }
    }
}
