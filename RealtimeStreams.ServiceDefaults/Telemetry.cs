using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace RealtimeStreams.ServiceDefaults;

internal static class Telemetry
{
    // Sources and meters are named after their assembly, so that this prefix finds all of them.
    private const string OwnSources = "RealtimeStreams.*";
    private const string BrokerSource = "NATS.Net";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Adds the signals that are exported. Of the others nothing is made: listened to and thrown away, they cost an append a third of its allocations.</summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        var telemetry = builder.Services.AddOpenTelemetry();
        var configuration = builder.Configuration;
        var all = IsSet(configuration[Endpoint]);
        if (all || EndpointOf(configuration, "LOGS") is not null)
        {
            builder.Logging.AddOpenTelemetry(logging =>
            {
                logging.IncludeFormattedMessage = true;
                logging.IncludeScopes = true;
            });
        }
        if (all || EndpointOf(configuration, "METRICS") is not null)
        {
            telemetry.WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter(OwnSources, BrokerSource));
        }
        if (all || EndpointOf(configuration, "TRACES") is not null)
        {
            telemetry.WithTracing(tracing => tracing
                .AddAspNetCoreInstrumentation(options => options.Filter = context => !IsHealthProbe(context.Request.Path))
                .AddHttpClientInstrumentation()
                .AddSource(OwnSources, BrokerSource, builder.Environment.ApplicationName));
        }
        telemetry.AddExporters(configuration, all);
    }

    private static bool IsHealthProbe(PathString path) =>
        path.StartsWithSegments(HealthEndpoints.ReadyPath) || path.StartsWithSegments(HealthEndpoints.AlivePath);

    private static void AddExporters(this OpenTelemetryBuilder telemetry, IConfiguration configuration, bool all)
    {
        if (all)
        {
            telemetry.UseOtlpExporter(); // Also honours the variables of a single signal.
            return;
        }

        // Only some signals have an endpoint: the exporter for all would send the others to a collector that nobody named.
        if (EndpointOf(configuration, "TRACES") is { } traces)
            telemetry.WithTracing(tracing => tracing.AddOtlpExporter(otlp => otlp.Endpoint = traces));
        if (EndpointOf(configuration, "METRICS") is { } metrics)
            telemetry.WithMetrics(meters => meters.AddOtlpExporter(otlp => otlp.Endpoint = metrics));
        if (EndpointOf(configuration, "LOGS") is { } logs)
            telemetry.WithLogging(logging => logging.AddOtlpExporter(otlp => otlp.Endpoint = logs));
    }

    private static Uri? EndpointOf(IConfiguration configuration, string signal) =>
        configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { } value && IsSet(value) ? new Uri(value) : null;

    private static bool IsSet(string? value) => !string.IsNullOrWhiteSpace(value);
}
