using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace RealtimeStreams.ServiceDefaults;

/// <summary>What every process of the stack does alike: telemetry, health, service discovery, resilience.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>
    /// Adds OpenTelemetry (exported over OTLP where the standard variables name an endpoint), the liveness check <c>self</c>, and,
    /// for every client of <see cref="IHttpClientFactory"/>, service discovery and the standard resilience handler.
    /// </summary>
    /// <remarks>
    /// The resilience handler gives a request up after 30 seconds, and an attempt after 10. A client whose requests are streams
    /// says <see cref="WithoutResilience"/> and resumes by itself. With the setting <c>ServiceDefaults:StopWhenInputCloses</c> the process
    /// stops when its standard input ends, and so with a parent that holds the other end.
    /// </remarks>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.AddTelemetry();
        StopWithParent.AddTo(builder);
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [HealthEndpoints.LiveTag]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>
    /// Takes a client out of the standard resilience: no time limit on its requests and no retries below it. For clients that
    /// hold a request open while data flows, in either direction: the limits would cut them in the middle.
    /// </summary>
    public static IHttpClientBuilder WithoutResilience(this IHttpClientBuilder http)
    {
#pragma warning disable EXTEXP0001 // Marked for evaluation; the way that the library itself offers to undo the default above.
        http.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        return http.ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan);
    }
}
