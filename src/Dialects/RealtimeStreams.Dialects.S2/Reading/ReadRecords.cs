using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Dialects.S2.Appending;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Streams;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>GET …/records: a session of frames or of server-sent events, or one batch in JSON or protobuf.</summary>
internal sealed partial class ReadRecords(
    StreamDirectory directory, IStreamReads reads, IRunStops stops, ICredentials credentials, RequestLimits limits, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<ReadRecords> logger)
{
    public static Task<IResult> HandleAsync(HttpContext context, Call call, ReadRecords endpoint) => endpoint.AnswerAsync(context, call);

    private async Task<IResult> AnswerAsync(HttpContext context, Call call)
    {
        if (Formats.ReadBase64(context.Request, out var base64) is { } unknown) return Answers.Error(unknown);
        if (ReadRequest.TryRead(context.Request, out var request) is { } wrong) return Answers.Error(wrong);
        S2Error? error = null;
        RecordFormat? format = MediaTypes.Is(context.Request.ContentType ?? "", AppendRecords.SessionType) ? FrameFormat.Instance
            : Formats.Accepts(context.Request, "text/event-stream") ? new EventFormat(base64 ? JsonRecords.Base64 : JsonRecords.Raw, clock)
            : null;
        var page = format is null ? RecordPage.Of(context.Request, base64) : null;
        if (format is EventFormat) error = request!.TryResume(context.Request.Headers["Last-Event-ID"].ToString(), out request);
        if (page is not null) request = RecordPage.Limit(request!);
        if (error is not null) return Answers.Error(error);
        if ((page is null || request!.Wait > TimeSpan.Zero) && limits.BecomeReader(context) is { } full) return Answers.Error(S2Errors.From(full));

        using var watch = credentials.Watch(call.Credential);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, watch.Ended);
        (var target, error) = await directory.OpenAsync(context, call);
        if (error is not null) return Answers.Error(error);
        // Frames have no place for it: who reads those sees the header.
        using var stop = format is EventFormat && target!.OfRun ? stops.Watch(target.Address.Environment, target.Address.Run) : null;
        var mayFollow = request!.IsUnlimited || request.Wait > TimeSpan.Zero;
        (var start, error) = await ReadStart.FindAsync(reads, target!.Address, request, mayFollow, ending.Token);
        if (error is not null) return Answers.Error(error);
        switch (await reads.OpenAsync(target.Address, start.Value, ending.Token))
        {
            case ReadOpening.Refused refused:
                return Answers.Error(S2Errors.From(refused.Refusal));
            case ReadOpening.Opened { Read: var read, Run: var run }:
                await using (read)
                {
                    StopTelling.SetHeader(context, run);
                    if (page is not null) return await FetchAsync(context, page, request, read, watch, ending.Token);
                    await SendAsync(context, target.Address, request, read, format!, watch, output => stop is null ? null : StopTelling.Begin(run.Stop, stop, output), ending.Token);
                    return Results.Empty;
                }
            default:
                throw new UnreachableException();
        }
    }

    private async Task<IResult> FetchAsync(HttpContext context, RecordPage page, ReadRequest request, IStreamRead read, IAccessWatch watch, CancellationToken cancellationToken)
    {
        try
        {
            return await page.FetchAsync(read, request, clock, cancellationToken);
        }
        catch (OperationCanceledException) when (watch.End is not null && !context.RequestAborted.IsCancellationRequested)
        {
            return Answers.Error(S2Errors.CredentialEnded);
        }
    }

    private async Task SendAsync(
        HttpContext context,
        StreamAddress stream,
        ReadRequest request,
        IStreamRead read,
        RecordFormat format,
        IAccessWatch watch,
        Func<PipeWriter, FeedNews?> beginNews,
        CancellationToken cancellationToken)
    {
        OpenEnded.PrepareResponse(context, format.ContentType);
        context.Response.Headers.CacheControl = "no-cache, no-transform";
        var output = context.Response.BodyWriter;
        using var grace = new Grace(clock, cancellationToken, context.RequestAborted);
        S2Error? error;
        try
        {
            await context.Response.StartAsync(cancellationToken);
            var news = beginNews(output);
            await output.FlushAsync(grace.Over);
            var batch = new RecordBatch(format.Framing, request.Count, request.Bytes, request.Until, format.Metered);
            error = await new ReadSession(read, request, format, batch, output, news, clock, grace.Over).SendAsync(cancellationToken);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // The client has gone.
        }
        catch (OperationCanceledException) when (watch.End is not null)
        {
            error = S2Errors.CredentialEnded;
        }
        catch (Exception exception)
        {
            error = S2Errors.Explain(exception);
            if (error.Status == StatusCodes.Status500InternalServerError) LogFailed(stream.Run, stream.Key, exception);
        }
        if (error is null) format.WriteDone(output);
        else format.WriteError(error, output);
        await LastWords.FlushAsync(context, clock);
    }

    [LoggerMessage(EventId = 2303, Level = LogLevel.Error, Message = "A read session of {Stream} of run {Run} failed")]
    private partial void LogFailed(RunId run, StreamKey stream, Exception exception);
}
