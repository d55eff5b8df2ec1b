using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Reading;

internal sealed partial class ReadChunks(
    IStreamReads reads, IChunkLog log, GuardedWaits waits, IRunStops stops, RequestLimits limits, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<ReadChunks> logger)
{
    public static Task<Results<EmptyHttpResult, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, StreamPath stream, ReadChunks endpoint) =>
        endpoint.AnswerAsync(context, caller, stream.Address);

    private async Task<Results<EmptyHttpResult, ProblemResult>> AnswerAsync(HttpContext context, Caller caller, StreamAddress stream)
    {
        if (!ReadRequest.TryRead(context.Request, out var request, out var problem)) return problem!;
        if ((request!.MediaType != ReadRequest.Page || request.Timeout is not null) && limits.BecomeReader(context) is { } full) return Problems.From(full);
        return await waits.AnswerAsync(context, caller, (watch, ending) => AnswerAsync(context, stream, request, watch, ending), refused => refused);
    }

    private async Task<Results<EmptyHttpResult, ProblemResult>> AnswerAsync(
        HttpContext context, StreamAddress stream, ReadRequest request, IAccessWatch watch, CancellationToken ending)
    {
        // A page tells what there is, and watches nothing. First, or a request to stop slips in between.
        using var stop = request.MediaType == ReadRequest.Page ? null : stops.Watch(stream.Environment, stream.Run);
        switch (await reads.OpenAsync(stream, request.StartIndex, ending))
        {
            case ReadOpening.Refused refused:
                return Problems.From(refused.Refusal);
            case ReadOpening.Opened { Read: var read, Run: var run }:
                await using (read)
                {
                    if (request.MediaType == ReadRequest.Page) return await SendPageAsync(context, stream, request, read, run.Stop, ending);
                    var feed = NewFeed(context, request, read, run.Stop, stop);
                    await SendFeedAsync(context, stream, request, feed, watch, ending);
                    return TypedResults.Empty;
                }
            default:
                throw new UnreachableException();
        }
    }

    private async Task<Results<EmptyHttpResult, ProblemResult>> SendPageAsync(
        HttpContext context, StreamAddress stream, ReadRequest request, IStreamRead read, StopRequest? requested, CancellationToken cancellationToken)
    {
        var page = new ChunkPage(read, request.Limit);
        if (!await page.FetchAsync(request.Timeout, cancellationToken))
            return Problems.From(ErrorCode.StreamGone, "The stream was erased while it was being read.");
        var stored = await log.FindAsync(stream, cancellationToken);
        context.Response.ContentType = request.MediaType;
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            await page.WriteAsync(context.Response.BodyWriter, stored, requested, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Abort(); // It has begun: cut off, it is no page.
        }
        return TypedResults.Empty;
    }

    private Feed NewFeed(HttpContext context, ReadRequest request, IStreamRead read, StopRequest? requested, IStopWatch? stop)
    {
        FeedFormat format = request.MediaType == ReadRequest.Lines ? LinesFormat.Instance : SseFormat.Instance;
        OpenEnded.PrepareResponse(context, format.MediaType);
        return new Feed(read, format, context.Response.BodyWriter, request.Timeout, clock, requested, stop);
    }

    private async Task SendFeedAsync(
        HttpContext context, StreamAddress stream, ReadRequest request, Feed feed, IAccessWatch watch, CancellationToken cancellationToken)
    {
        try
        {
            await feed.SendAsync(request.StartIndex, watch, lifetime.ApplicationStopping, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Abort(); // The client has gone, or does not read what it is told at the end.
        }
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The answer has begun, so that the error has to be an event of it.
            LogFailed(stream.Run, stream.Key, exception);
            await feed.FailAsync(Problems.Explain(exception), cancellationToken);
        }
    }

    [LoggerMessage(EventId = 2101, Level = LogLevel.Error, Message = "A read of {Stream} of run {Run} failed")]
    private partial void LogFailed(RunId run, StreamKey stream, Exception exception);
}
