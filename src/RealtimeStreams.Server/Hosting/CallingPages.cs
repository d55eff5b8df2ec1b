using Microsoft.Net.Http.Headers;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Server.Hosting;

/// <summary>Which web pages may call: those of <c>RealtimeStreams:AllowedOrigins</c>, and in Development any from this machine.</summary>
internal static class CallingPages
{
    public static WebApplicationBuilder AddAllowedOrigins(this WebApplicationBuilder builder)
    {
        var allowed = AllowedOrigins.Read(builder.Configuration);
        var development = builder.Environment.IsDevelopment();
        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .SetIsOriginAllowed(origin => allowed.Contain(origin) || (development && IsLoopback(origin)))
            .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post)
            .AllowAnyHeader()
            .WithExposedHeaders(
                NativeHeaders.NextIndex,
                NativeHeaders.FirstIndex,
                NativeHeaders.State,
                NativeHeaders.Outcome,
                NativeHeaders.StopRequested,
                NativeHeaders.ProducerEpoch,
                NativeHeaders.ProducerNextSequence,
                HeaderNames.RetryAfter,
                HeaderNames.Location)
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10))));
        return builder;
    }

    private static bool IsLoopback(string origin) => Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.IsLoopback;
}
