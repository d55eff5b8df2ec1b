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

    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter(OwnSources, BrokerSource))
            .WithTracing(tracing => tracing
                .AddAspNetCoreInstrumentation(options => options.Filter = context => !IsHealthProbe(context.Request.Path))
                .AddHttpClientInstrumentation()
                .AddSource(OwnSources, BrokerSource, builder.Environment.ApplicationName));
        telemetry.AddExporters(builder.Configuration);
    }

    private static bool IsHealthProbe(PathString path) =>
        path.StartsWithSegments(HealthEndpoints.ReadyPath) || path.StartsWithSegments(HealthEndpoints.AlivePath);

    private static void AddExporters(this OpenTelemetryBuilder telemetry, IConfiguration configuration)
    {
        if (IsSet(configuration[Endpoint]))
        {
            telemetry.UseOtlpExporter(); // Also honours the variables of a single signal.
            return;
        }

        // Only some signals have an endpoint: the exporter for all would send the others to a collector that nobody named.
        if (EndpointOf("TRACES") is { } traces)
            telemetry.WithTracing(tracing => tracing.AddOtlpExporter(otlp => otlp.Endpoint = traces));
        if (EndpointOf("METRICS") is { } metrics)
            telemetry.WithMetrics(meters => meters.AddOtlpExporter(otlp => otlp.Endpoint = metrics));
        if (EndpointOf("LOGS") is { } logs)
            telemetry.WithLogging(logging => logging.AddOtlpExporter(otlp => otlp.Endpoint = logs));

        Uri? EndpointOf(string signal) =>
            configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] is { } value && IsSet(value) ? new Uri(value) : null;

        static bool IsSet(string? value) => !string.IsNullOrWhiteSpace(value);
    }
}
