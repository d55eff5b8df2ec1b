using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>PUT /streams/{stream}: the stream, with this configuration, whether it was there or not. Without a body one that is there stays as it is.</summary>
internal static class EnsureStream
{
    public static async Task<IResult> HandleAsync(HttpContext context, Call call, StreamDirectory directory, RunStreams ofRuns, INamedStreams streams)
    {
        var name = call.Stream!;
        var (document, error) = await RequestBody.ReadDocumentAsync(context);
        if (error is not null) return Answers.Error(error);
        using (document)
        {
            var config = StreamConfig.Default;
            if (document is not null && StreamConfig.Default.TryChange(document.RootElement, directory.RetentionOf(call.Environment), out config) is { } fault) return Answers.Error(fault);
            if (name.Run is not null) return await ofRuns.EnsureAsync(context, call.Environment, name, config);
            return await streams.EnsureAsync(call.Environment, name.Text, config.Stored(), config.Age, context.RequestAborted) switch
            {
                NamedStreamOutcome.Made { New: true, Stream: var made } =>
                    StreamTexts.Info(context, made.Name, made.CreatedAt, StreamTexts.Created, StatusCodes.Status201Created),
                NamedStreamOutcome.Made { Stream: var found } when document is null || document.RootElement.ValueKind == JsonValueKind.Null =>
                    StreamTexts.Info(context, found.Name, found.CreatedAt, StreamTexts.Unchanged, StatusCodes.Status200OK),
                NamedStreamOutcome.Made { Stream: var found } => await ReplaceAsync(context, call, found, config, streams),
                NamedStreamOutcome.Refused refused => Answers.Error(S2Errors.From(refused.Refusal)),
                _ => throw new UnreachableException(),
            };
        }
    }

    private static async Task<IResult> ReplaceAsync(HttpContext context, Call call, NamedStream found, StreamConfig config, INamedStreams streams)
    {
        var (now, changed) = await Reconfiguration.ApplyAsync(streams, call.Environment, found, _ => config, context.RequestAborted);
        return now is null
            ? Answers.Error(S2Error.TransactionConflict($"The stream {found.Name} was deleted or changed meanwhile. Try again."))
            : StreamTexts.Info(context, now.Name, now.CreatedAt, changed ? StreamTexts.Updated : StreamTexts.Unchanged, StatusCodes.Status200OK);
    }
}
