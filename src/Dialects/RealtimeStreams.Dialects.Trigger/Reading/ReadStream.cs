using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Reading;

/// <summary>Reads an output or an input stream, live.</summary>
/// <remarks>
/// A clean end of the answer is the end of the stream to its clients, which do not come back then. So it ends cleanly only when the stream
/// has, or when the reader has waited long enough and nothing is stored that it has not got; otherwise the connection is cut off. That is also the
/// end of a read whose credential has expired or was revoked: its client comes back with its cursor and is told 401, which is final to it (unless the
/// application gives it a new token).
/// </remarks>
internal sealed partial class ReadStream(
    IStreamReads reads, IRunStops stops, ICredentials credentials, RequestLimits limits, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<ReadStream> logger)
{
    private const string EventStream = "text/event-stream";

    public static Task<IResult> HandleAsync(HttpContext context, Caller caller, StreamPath stream, ReadStream endpoint) =>
        endpoint.AnswerAsync(context, caller, stream.Address);

    private async Task<IResult> AnswerAsync(HttpContext context, Caller caller, StreamAddress stream)
    {
        if (ReadRequest.FindFault(context.Request.Headers, out var request) is { } fault)
            return Results.Text(fault, statusCode: StatusCodes.Status400BadRequest);
        if (limits.BecomeReader(context) is { } full) return TriggerError.From(full);
        using var watch = credentials.Watch(caller.Credential);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, watch.Ended);
        using var stop = stops.Watch(stream.Environment, stream.Run); // First, or a request to stop slips in between.
        switch (await OpenAsync(stream, request.StartIndex, ending.Token))
        {
            case ReadOpening.Refused { Refusal: var refusal } when refusal.Code == ErrorCode.StreamNotFound:
                // The run has ended without such a stream: nothing will come.
                Prepare(context);
                new RecordEvents(context.Response.BodyWriter).WriteDone();
                await context.Response.BodyWriter.FlushAsync(ending.Token);
                return Results.Empty;
            case ReadOpening.Refused refused:
                return TriggerError.From(refused.Refusal);
            case ReadOpening.Opened { Read: var read, Run: var run }:
                await using (read)
                {
                    StopTelling.SetHeader(context, run);
                    await SendAsync(context, stream, request.Timeout, read, output => StopTelling.Begin(run.Stop, stop, output), ending.Token);
                    return Results.Empty;
                }
            default:
                throw new UnreachableException();
        }
    }

    private async Task<ReadOpening> OpenAsync(StreamAddress stream, long? startIndex, CancellationToken cancellationToken)
    {
        var start = startIndex ?? (await reads.FindTailAsync(stream, cancellationToken)).Next.Value;
        return await reads.OpenAsync(stream, start, cancellationToken);
    }

    private async Task SendAsync(HttpContext context, StreamAddress stream, TimeSpan timeout, IStreamRead read, Func<PipeWriter, FeedNews?> beginNews, CancellationToken cancellationToken)
    {
        Prepare(context);
        var output = context.Response.BodyWriter;
        var framing = InputStreams.FindName(stream.Key) is null ? EnvelopeRecords.Output : EnvelopeRecords.Input;
        var loop = new FeedLoop(read, new BatchFormat(framing, clock), output, timeout, clock, beginNews(output));
        try
        {
            FeedEnd end;
            do
            {
                end = await loop.SendAsync(cancellationToken);
            }
            while (end == FeedEnd.TimedOut && await HasMoreAsync(stream, read, cancellationToken));
            if (end is FeedEnd.Ended or FeedEnd.TimedOut)
            {
                new RecordEvents(output).WriteDone();
                await output.FlushAsync(cancellationToken);
            }
            else
            {
                context.Abort(); // Who comes back after an erasure is told that there is no such run.
            }
        }
        catch (Exception exception) when (exception is LogUnavailableException || cancellationToken.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception exception)
        {
            LogFailed(stream.Run, stream.Key, exception);
            context.Abort();
        }
    }

    private async Task<bool> HasMoreAsync(StreamAddress stream, IStreamRead read, CancellationToken cancellationToken) =>
        (await reads.FindTailAsync(stream, cancellationToken)).Next > read.Cursor;

    private static void Prepare(HttpContext context)
    {
        OpenEnded.PrepareResponse(context, EventStream);
        context.Response.Headers.CacheControl = "no-cache, no-transform";
        context.Response.Headers[TriggerHeaders.StreamVersion] = "v2";
    }

    [LoggerMessage(EventId = 2203, Level = LogLevel.Error, Message = "A read of {Stream} of run {Run} failed")]
    private partial void LogFailed(RunId run, StreamKey stream, Exception exception);
}
