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

namespace RealtimeStreams.Dialects.Native.Reading;

internal sealed partial class ReadChunks(IStreamReads reads, IChunkLog log, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<ReadChunks> logger)
{
    public static Task<Results<EmptyHttpResult, ProblemResult>> HandleAsync(HttpContext context, StreamPath stream, ReadChunks endpoint) =>
        endpoint.AnswerAsync(context, stream.Address);

    private async Task<Results<EmptyHttpResult, ProblemResult>> AnswerAsync(HttpContext context, StreamAddress stream)
    {
        if (!ReadRequest.TryRead(context.Request, out var request, out var problem)) return problem!;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        switch (await reads.OpenAsync(stream, request!.StartIndex, ending.Token))
        {
            case ReadOpening.Refused refused:
                return Problems.From(refused.Refusal);
            case ReadOpening.Opened { Read: var read }:
                await using (read)
                {
                    if (request.MediaType == ReadRequest.Page) return await SendPageAsync(context, stream, request, read, ending.Token);
                    await SendFeedAsync(context, stream, request, read, ending.Token);
                    return TypedResults.Empty;
                }
            default:
                throw new UnreachableException();
        }
    }

    private async Task<Results<EmptyHttpResult, ProblemResult>> SendPageAsync(
        HttpContext context, StreamAddress stream, ReadRequest request, IStreamRead read, CancellationToken cancellationToken)
    {
        var page = new ChunkPage(read, request.Limit);
        if (!await page.FetchAsync(request.Timeout, cancellationToken))
            return Problems.From(ErrorCode.StreamGone, "The stream was erased while it was being read.");
        var stored = await log.FindAsync(stream, cancellationToken);
        context.Response.ContentType = request.MediaType;
        context.Response.Headers.CacheControl = "no-store";
        page.Write(context.Response.BodyWriter, stored);
        await context.Response.BodyWriter.FlushAsync(cancellationToken);
        return TypedResults.Empty;
    }

    private async Task SendFeedAsync(
        HttpContext context, StreamAddress stream, ReadRequest request, IStreamRead read, CancellationToken cancellationToken)
    {
        FeedFormat format = request.MediaType == ReadRequest.Lines ? LinesFormat.Instance : SseFormat.Instance;
        OpenEnded.PrepareResponse(context, format.MediaType);
        var feed = new Feed(read, format, context.Response.BodyWriter, request.Timeout, clock);
        try
        {
            await feed.SendAsync(request.StartIndex, lifetime.ApplicationStopping, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Abort(); // The client has gone, or does not read what it is told at shutdown.
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
