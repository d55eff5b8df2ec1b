using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native;

/// <summary>What the OpenAPI document says beside the routes.</summary>
internal static class NativeDescription
{
    private const string Scheme = "secretKey";

    /// <summary>Names an endpoint and the errors that it has beside those that all have (401, 403, 429, 500, 503).</summary>
    public static RouteHandlerBuilder Describe(this RouteHandlerBuilder endpoint, string operation, string summary, params int[] errors)
    {
        endpoint.WithName(operation).WithSummary(summary);
        foreach (var status in errors.Union([401, 403, 429, 500, 503])) endpoint.Produces<Problem>(status, ProblemResult.MediaType);
        return endpoint;
    }

    public static IServiceCollection AddNativeDescription(this IServiceCollection services)
    {
        // Only the document's schemas come from these options; answers are written by the dialect's own contracts.
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, NativeJson.Default);
        });
        return services.AddOpenApi("v1", options =>
        {
            options.AddOperationTransformer(NativeParameters.AddAsync);
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "RealtimeStreams",
                    Version = "v1",
                    Description = "Durable realtime streams of background runs. Ids in paths are percent-encoded, one segment each.",
                };
                document.Components ??= new OpenApiComponents();
                document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
                document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "The environment's secret key or, where that suffices, a public access token; for the operations of admin the operator key.",
                };
                document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
                return Task.CompletedTask;
            });
        });
    }
}
