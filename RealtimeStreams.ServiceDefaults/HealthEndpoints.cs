using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace RealtimeStreams.ServiceDefaults;

/// <summary>Where a process says how it is.</summary>
public static class HealthEndpoints
{
    /// <summary>Answers 200 while the process can serve, and 503 while it cannot, with the state of each component.</summary>
    public const string ReadyPath = "/health";

    /// <summary>Answers 200 while the process need not be restarted.</summary>
    public const string AlivePath = "/alive";

    /// <summary>Tag of the checks that <see cref="AlivePath"/> asks.</summary>
    public const string LiveTag = "live";

    /// <summary>
    /// Maps <see cref="ReadyPath"/> and <see cref="AlivePath"/>, without credentials and in every environment: orchestrators ask them
    /// too. A component shows its status, description and data, so none of them may hold a secret; exceptions are not shown.
    /// </summary>
    public static IEndpointRouteBuilder MapDefaultEndpoints(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks(ReadyPath, new HealthCheckOptions { ResponseWriter = WriteAsync }).AllowAnonymous().DisableHttpMetrics();
        endpoints.MapHealthChecks(AlivePath, new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(LiveTag),
            ResponseWriter = WriteAsync,
        }).AllowAnonymous().DisableHttpMetrics();
        return endpoints;
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.Body.WriteAsync(HealthReportJson.Write(report), context.RequestAborted).AsTask();
    }
}
