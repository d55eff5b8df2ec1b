using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RealtimeStreams.Http;

/// <summary>The answer of a stopping server to a request whose body has no end in sight: told, and then cut off.</summary>
/// <remarks>
/// Over HTTP/1.1 the web server reads a body to its end before it lets go of the connection, and would wait for a sender that does not look at answers
/// until its own time to stop has passed. Over HTTP/2 it ends the request alone.
/// </remarks>
/// <param name="answer">What is told.</param>
public sealed class LastAnswer(IResult answer) : IResult
{
    // Long enough for the answer to be read; a connection that is cut at once may lose it on its way.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var cuts = HttpProtocol.IsHttp11(httpContext.Request.Protocol) || HttpProtocol.IsHttp10(httpContext.Request.Protocol);
        if (cuts) httpContext.Response.Headers.Connection = "close";
        await answer.ExecuteAsync(httpContext);
        await httpContext.Response.CompleteAsync();
        if (!cuts) return;
        var clock = httpContext.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System;
        using var grace = new CancellationTokenSource(Grace, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(grace.Token, httpContext.RequestAborted);
        try
        {
            await httpContext.Request.Body.CopyToAsync(Stream.Null, either.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            httpContext.Abort();
        }
    }
}
