using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using RealtimeStreams.Http.Limiting;

namespace RealtimeStreams.Http;

/// <summary>Takes the limits off a request or a response that has no end in sight.</summary>
public static class OpenEnded
{
    /// <summary>The request's body may be as long, and come as slowly, as the client likes.</summary>
    public static void LiftRequestLimits(HttpContext context)
    {
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
        if (context.Request.Body is PacedBody paced) context.Request.Body = paced.Inner;
    }

    /// <summary>The response is not kept, not collected on its way, and may be read as slowly as the client likes.</summary>
    public static void PrepareResponse(HttpContext context, string contentType)
    {
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        context.Response.ContentType = contentType;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx collects answers otherwise.
    }
}
