using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>What stands before every endpoint: a credential, a path whose ids can be ids, and errors in the dialect's shape.</summary>
/// <remarks>It wraps the endpoint, and so comes before its parameters are bound; an endpoint filter would come after.</remarks>
internal static partial class Gate
{
    public const string RunParameter = "runId";
    public const string TargetParameter = "target";
    public const string KeyParameter = "key";
    public const string InputParameter = "input";

    private const string Scheme = "Bearer ";

    public static TBuilder RequireSecretKey<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            var path = PathParameters.Of(((RouteEndpointBuilder)endpoint).RoutePattern);
            endpoint.RequestDelegate = context => AnswerAsync(context, path, inner);
        });
        return endpoints;
    }

    private static async Task AnswerAsync(HttpContext context, PathParameters path, RequestDelegate inner)
    {
        try
        {
            var error = await AdmitAsync(context, path);
            await (error is null ? inner(context) : error.ExecuteAsync(context));
        }
        catch (Exception exception) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var error = TriggerError.From(exception);
            var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Gate).FullName!);
            if (error.Status == StatusCodes.Status500InternalServerError) LogFailed(logger, context.Request.Method, exception);
            else LogRefused(logger, context.Request.Method, error.Code!);
            await error.ExecuteAsync(context);
        }
    }

    private static async ValueTask<TriggerError?> AdmitAsync(HttpContext context, PathParameters path)
    {
        if (await AuthenticateAsync(context) is not { } environment)
            return TriggerError.From(ErrorCode.Unauthorized, "Invalid or missing API key: send the environment's secret key as Authorization: Bearer <key>.");
        context.Features.Set(new Caller(environment));
        if (!path.HasRun) return null;
        if (!path.TryRead(context, out var run, out var key, out var error)) return error;
        if (path.TargetOf(context) is { } target and not "self")
        {
            var registry = context.RequestServices.GetRequiredService<IRunRegistry>();
            if (await registry.FindFamilyAsync(environment, run, context.RequestAborted) is not { } family)
                return TriggerError.From(ErrorCode.RunNotFound, $"There is no run {run}, whose {target} was asked for.");
            // A run without a parent is its own parent and root, as for the clients.
            run = target == "parent" ? family.Parent ?? run : family.Root ?? family.Parent ?? run;
        }
        context.Features.Set(new StreamPath(new StreamAddress(environment, run, key)));
        return null;
    }

    private static async ValueTask<EnvironmentId?> AuthenticateAsync(HttpContext context)
    {
        var values = context.Request.Headers[HeaderNames.Authorization];
        if (values is not [{ } value] || !value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var secretKey = value[Scheme.Length..].Trim();
        if (secretKey.Length == 0) return null;
        var environments = context.RequestServices.GetRequiredService<IEnvironments>();
        return await environments.FindBySecretKeyAsync(secretKey, context.RequestAborted);
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Error, Message = "A {Method} request failed")]
    private static partial void LogFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Debug, Message = "A {Method} request was refused: {Code}")]
    private static partial void LogRefused(ILogger logger, string method, string code);
}
