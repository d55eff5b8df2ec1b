using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace RealtimeStreams.ServiceDefaults.Tests;

public sealed class HealthEndpointsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broken_component_makes_the_process_unready_but_not_dead()
    {
        var broken = HealthCheckResult.Unhealthy("No connection to the broker.", new InvalidOperationException("nats://user:password@host"));
        await using var app = await StartAsync(checks => checks.AddCheck("broker", () => broken));

        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var ready = await client.GetAsync("/health", Cancelled);
        using var alive = await client.GetAsync("/alive", Cancelled);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal(
            """{"status":"Unhealthy","components":{"broker":{"status":"Unhealthy","description":"No connection to the broker."},"self":{"status":"Healthy"}}}""",
            await ready.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal(
            """{"status":"Healthy","components":{"self":{"status":"Healthy"}}}""",
            await alive.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task A_component_shows_its_data()
    {
        var data = new Dictionary<string, object> { ["durability"] = "replicated", ["replicas"] = 3, ["degraded"] = false };
        await using var app = await StartAsync(checks => checks.AddCheck("log", () => HealthCheckResult.Healthy(data: data)));

        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var health = JsonDocument.Parse(await client.GetStringAsync(new Uri("/health", UriKind.Relative), Cancelled));

        var shown = health.RootElement.GetProperty("components").GetProperty("log").GetProperty("data");
        Assert.Equal("""{"durability":"replicated","replicas":3,"degraded":false}""", shown.GetRawText());
    }

    private static async Task<WebApplication> StartAsync(Action<IHealthChecksBuilder> addChecks)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults();
        addChecks(builder.Services.AddHealthChecks());
        var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync(Cancelled);
        return app;
    }
}
