using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.Http;

/// <summary>Gives every error a body: exceptions that endpoints let through, and statuses that the framework set without one.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // Nobody is left to be told.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            var refusal = Problems.Explain(exception);
            if (refusal.Code.Status == StatusCodes.Status500InternalServerError) LogFailed(context.Request.Method, exception);
            else LogRefused(context.Request.Method, refusal.Code.Code);
            await Problems.WriteAsync(context, Problems.Describe(refusal));
            return;
        }
        var response = context.Response;
        if (response.StatusCode >= StatusCodes.Status400BadRequest && response is { HasStarted: false, ContentLength: null, ContentType: null })
            await Problems.WriteAsync(context, Problems.Describe(Problems.Explain(context)) with { Status = response.StatusCode });
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "A {Method} request failed")]
    private partial void LogFailed(string method, Exception exception);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Debug, Message = "A {Method} request was refused: {Code}")]
    private partial void LogRefused(string method, string code);
}

/// <summary>Adds the middleware.</summary>
public static class ProblemMiddlewareExtensions
{
    /// <summary>From here on, every error has a body of problem details.</summary>
    public static IApplicationBuilder UseProblems(this IApplicationBuilder app) => app.UseMiddleware<ProblemMiddleware>();
}
