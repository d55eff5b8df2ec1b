using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RealtimeStreams.Http.Limiting;

namespace RealtimeStreams.Http;

/// <summary>Ends requests whose answer nobody takes, over any version of HTTP and whatever the answer is: live, a page, a session's acknowledgements, an error.</summary>
public static class AnswerPace
{
    /// <summary>From here on whoever holds up a write of an answer for <see cref="LimitsOptions.StalledReader"/> is cut off: his connection, over HTTP/2 his request alone.</summary>
    /// <remarks>In front of all that writes. What fits into the buffers on the way holds up nobody, and is not watched.</remarks>
    public static IApplicationBuilder UseAnswerPace(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var patience = app.ApplicationServices.GetRequiredService<IOptions<LimitsOptions>>().Value.StalledReader;
        var telemetry = app.ApplicationServices.GetRequiredService<LimitTelemetry>();
        var clock = app.ApplicationServices.GetService<TimeProvider>() ?? TimeProvider.System;
        return app.Use((context, next) =>
        {
            var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
            context.Features.Set<IHttpResponseBodyFeature>(new WatchedBody(body, context, patience, telemetry, clock));
            return next(context);
        });
    }
}
