using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Streams;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Appending;

/// <summary>Serves append sessions. Whatever goes wrong is told in a terminal frame: a reset stream would be the end of the client's session for good.</summary>
internal sealed partial class AppendSessions(
    IAppender appender,
    IOpenWriters writers,
    ICredentials credentials,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<AppendSessions> logger)
{
    public async Task ServeAsync(HttpContext context, Call call, StreamTarget target)
    {
        OpenEnded.LiftRequestLimits(context);
        OpenEnded.PrepareResponse(context, AppendRecords.SessionType);
        await context.Response.StartAsync(context.RequestAborted);
        var output = context.Response.BodyWriter;
        await output.FlushAsync(context.RequestAborted);
        using var writer = writers.Enter(target.Address); // Until the client goes, or ends the session.
        using var session = new AppendSession(target.Address, target.RulesFor(call), appender, context.Request.BodyReader, output, clock);
        using var watch = credentials.Watch(call.Credential);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, watch.Ended);
        S2Error? error;
        try
        {
            error = await session.RunAsync(ending.Token, context.RequestAborted);
            if (error == S2Errors.Stopping && watch.End is not null) error = S2Errors.CredentialEnded;
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // The client has gone, or cut the stream.
        }
        catch (Exception exception)
        {
            error = S2Errors.Explain(exception);
            if (error.Status == StatusCodes.Status500InternalServerError) LogFailed(target.Address.Run.Value, target.Address.Key.Value, exception);
        }
        if (error is null) return;
        Frame.WriteTerminal(output, error);
        await LastWords.FlushAsync(context, clock);
    }

    [LoggerMessage(EventId = 2302, Level = LogLevel.Error, Message = "An append session of {Stream} of run {Run} failed")]
    private partial void LogFailed(string run, string stream, Exception exception);
}
