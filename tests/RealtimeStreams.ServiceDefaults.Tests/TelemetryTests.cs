using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Trace;

namespace RealtimeStreams.ServiceDefaults.Tests;

public sealed class TelemetryTests
{
    [Theory]
    [InlineData(null, "", false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "", true)]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces", true)]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "/v1/metrics", false)]
    public async Task Spans_are_made_and_leave_the_process_only_for_a_named_endpoint(string? variable, string path, bool leaves)
    {
        var received = new ConcurrentQueue<string>();
        await using var collector = await StartCollectorAsync(received);
        var builder = Host.CreateEmptyApplicationBuilder(new());
        if (variable is not null)
        {
            builder.Configuration.AddInMemoryCollection(
                [new(variable, collector.Urls.Single() + path), new("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]);
        }

        builder.AddServiceDefaults();
        using var host = builder.Build();
        var tracing = host.Services.GetService<TracerProvider>();
        using var source = new ActivitySource("RealtimeStreams.Whatever");
        using (var span = source.StartActivity("append"))
            Assert.Equal(leaves, span is not null); // Heard by its prefix.

        tracing?.Shutdown(); // Returns once the exporter has ended, so that nothing can still be on the way. A flush returns when it has begun to send.

        Assert.Equal(leaves, received.Contains("/v1/traces"));
    }

    private static async Task<WebApplication> StartCollectorAsync(ConcurrentQueue<string> received)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(context =>
        {
            received.Enqueue(context.Request.Path.Value!);
            return Task.CompletedTask;
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
