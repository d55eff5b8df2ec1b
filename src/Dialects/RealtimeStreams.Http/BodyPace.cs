using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RealtimeStreams.Http.Limiting;

namespace RealtimeStreams.Http;

/// <summary>Holds bodies to the pace of <see cref="LimitsOptions.MinBodyBytesPerSecond"/> where the web server would hold the whole connection to it: over HTTP/2.</summary>
public static class BodyPace
{
    /// <summary>From here on a body over HTTP/2 that comes too slowly ends its own request with 408, and no other. <see cref="OpenEnded.LiftRequestLimits"/> takes that off.</summary>
    public static IApplicationBuilder UseBodyPace(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var limits = app.ApplicationServices.GetRequiredService<IOptions<LimitsOptions>>().Value;
        var clock = app.ApplicationServices.GetService<TimeProvider>() ?? TimeProvider.System;
        return app.Use((context, next) =>
        {
            if (!HttpProtocol.IsHttp2(context.Request.Protocol) || context.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: true }) return next(context);
            if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
            var body = new PacedBody(context.Request.Body, limits.MinBodyBytesPerSecond, limits.BodyGrace, clock);
            context.Response.RegisterForDispose(body);
            context.Request.Body = body;
            return next(context);
        });
    }
}
