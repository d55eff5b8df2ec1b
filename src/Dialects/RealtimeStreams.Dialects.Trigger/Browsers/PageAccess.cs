using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.Trigger.Browsers;

/// <summary>Which web pages may call the routes that browsers use: those of the setting, or all of them when it names none. Tokens are what guards these routes.</summary>
internal static class PageAccess
{
    /// <summary>The policy's name.</summary>
    public const string Policy = "trigger";

    private static readonly TimeSpan PreflightAge = TimeSpan.FromSeconds(300);

    public static IServiceCollection AddPageAccess(this IServiceCollection services)
    {
        services.AddOptions<CorsOptions>().Configure<IConfiguration>((cors, configuration) =>
        {
            var allowed = AllowedOrigins.Read(configuration);
            cors.AddPolicy(Policy, policy =>
            {
                if (allowed.AreSet) policy.SetIsOriginAllowed(allowed.Contain);
                else policy.AllowAnyOrigin();
                // What the page asks for is echoed: a wildcard does not cover Authorization.
                policy.AllowAnyHeader().AllowAnyMethod().WithExposedHeaders("*").SetPreflightMaxAge(PreflightAge);
            });
        });
        return services.AddCors();
    }

    /// <summary>For the routes that no browser is to call.</summary>
    public static readonly DisableCorsAttribute None = new();
}
