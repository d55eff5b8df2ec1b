using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Writing;

/// <summary>The v1 writer's body: lines of JSON as long as its source runs. Answered once all of them are stored.</summary>
internal static class IngestChunks
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, Caller caller, StreamPath stream, IAppender appender, ICredentials credentials, RequestLimits limits, IHostApplicationLifetime lifetime)
    {
        if (FindProducer(context.Request.Headers, out var producer) is { } error) return error;
        if (limits.BecomeOpenBody(context) is { } full) return new LastAnswer(TriggerError.From(full));
        OpenEnded.LiftRequestLimits(context);
        // Not ended by the sender's going away: lines that arrived before it did are read and stored.
        var stopping = lifetime.ApplicationStopping;
        using var watch = credentials.Watch(caller.Credential);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, watch.Ended);
        return await appender.AppendAsync(stream.Address, new AppendRequest(BodyKind.Lines, producer), context.Request.BodyReader, ending.Token) switch
        {
            IngestOutcome.Stored => Results.Ok(),
            IngestOutcome.Refused refused => TriggerError.From(refused.Refusal),
            IngestOutcome.Interrupted when watch.End is not null => new LastAnswer(TriggerError.CredentialEnded),
            IngestOutcome.Interrupted when stopping.IsCancellationRequested =>
                new LastAnswer(TriggerError.From(ErrorCode.ShuttingDown, "The server is stopping. What it had read is stored; send the rest again.")),
            IngestOutcome.Interrupted { Cause: BadHttpRequestException bad } => TriggerError.From(bad),
            IngestOutcome.Interrupted => TriggerError.From(ErrorCode.InvalidRequest, "The body broke off before its end."),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Lines are numbered by the writer, so that those that are sent again after a cut are recognised.</summary>
    private static TriggerError? FindProducer(IHeaderDictionary headers, out ProducerPosition? producer)
    {
        producer = null;
        var resume = headers[TriggerHeaders.ResumeFromChunk].ToString();
        var first = 0L;
        if (resume.Length > 0 && (!long.TryParse(resume, NumberStyles.None, CultureInfo.InvariantCulture, out first) || first > int.MaxValue))
            return Wrong(TriggerHeaders.ResumeFromChunk, $"must be a number from 0 to {int.MaxValue}");
        if (FindProducerId(headers, out var id) is { } error) return error;
        if (id is { } known) producer = new ProducerPosition(known, 0, first);
        return null;
    }

    /// <summary>The writer's id; null when the header names none.</summary>
    public static TriggerError? FindProducerId(IHeaderDictionary headers, out ProducerId? id)
    {
        id = null;
        var text = headers[TriggerHeaders.ClientId].ToString();
        if (text.Length == 0) return null;
        if (!ProducerId.TryParse(text, null, out var parsed)) return Wrong(TriggerHeaders.ClientId, ProducerId.FindFault(text)!);
        id = parsed;
        return null;
    }

    private static TriggerError Wrong(string header, string fault) => TriggerError.From(ErrorCode.InvalidRequest, $"The header {header} {fault}.");
}
