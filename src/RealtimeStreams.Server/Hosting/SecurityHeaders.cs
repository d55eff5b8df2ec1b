using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace RealtimeStreams.Server.Hosting;

/// <summary>Headers that every answer has, whatever its dialect and status.</summary>
/// <remarks>
/// Set before anything else is done, so that errors have them too; an endpoint that knows better about caching says so itself. Pages of other origins that may call do so with CORS,
/// which <c>Cross-Origin-Resource-Policy</c> does not touch: it keeps answers out of pages that embed without asking.
/// </remarks>
internal static class SecurityHeaders
{
    // A reader of a whole answer; what is open-ended lifts it. Of one request only over HTTP/1.1: over HTTP/2 the rate is the connection's, and AnswerPace alone holds readers of either.
    private static readonly MinDataRate wholeAnswers = new(240, TimeSpan.FromSeconds(30));

    public static WebApplication UseSecurityHeaders(this WebApplication app)
    {
        app.UseHsts(); // Over TLS alone, and not for this machine's own names.
        app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers.CacheControl = "no-store";
            if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = wholeAnswers;
            return next(context);
        });
        return app;
    }
}
