using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>What stands before every endpoint: a valid secret key, and a path whose ids can be ids.</summary>
/// <remarks>It wraps the endpoint, and so comes before its parameters are bound; an endpoint filter would come after.</remarks>
internal static class Gate
{
    public const string RunParameter = "runId";
    public const string KeyParameter = "key";

    public static TBuilder RequireSecretKey<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            var pattern = ((RouteEndpointBuilder)endpoint).RoutePattern;
            var hasRun = pattern.GetParameter(RunParameter) is not null;
            var hasKey = pattern.GetParameter(KeyParameter) is not null;
            var ofStreams = pattern.RawText!.Contains("/streams/", StringComparison.Ordinal);
            endpoint.RequestDelegate = async context =>
            {
                var problem = await AdmitAsync(context, hasRun, hasKey && ofStreams);
                await (problem is null ? inner(context) : problem.ExecuteAsync(context));
            };
        });
        return endpoints;
    }

    private static async ValueTask<ProblemResult?> AdmitAsync(HttpContext context, bool hasRun, bool hasKey)
    {
        if (await AuthenticateAsync(context) is not { } environment)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.From(ErrorCode.Unauthorized, "Send the environment's secret key as Authorization: Bearer <key>.");
        }
        context.Features.Set(new Caller(environment));
        if (!hasRun) return null;
        if (RawPath.Find(context, RunParameter) is not { } run)
            return Problems.From(ErrorCode.InvalidRunId, $"The run id in the path {RawPath.Fault}.");
        if (!hasKey) return AdmitRun(context, environment, run);
        if (RawPath.Find(context, KeyParameter) is not { } key)
            return Problems.From(ErrorCode.InvalidStreamKey, $"The stream key in the path {RawPath.Fault}.");
        if (!StreamKey.TryParse(key, null, out var streamKey))
            return Problems.From(ErrorCode.InvalidStreamKey, $"The stream key {StreamKey.FindFault(key)}.");
        if (Targets.Names(run)) return await AdmitTargetAsync(context, environment, run, streamKey);
        if (!RunId.TryParse(run, null, out var runId)) return Invalid(run);
        context.Features.Set(new StreamPath(new StreamAddress(environment, runId, streamKey)));
        return null;
    }

    private static ProblemResult? AdmitRun(HttpContext context, EnvironmentId environment, string run)
    {
        if (!RunId.TryParse(run, null, out var runId)) return Invalid(run);
        context.Features.Set(new RunPath(environment, runId));
        return null;
    }

    private static async ValueTask<ProblemResult?> AdmitTargetAsync(HttpContext context, EnvironmentId environment, string target, StreamKey key)
    {
        var own = context.Request.Headers[NativeHeaders.Run].ToString();
        if (own.Length == 0)
        {
            return Problems.From(
                ErrorCode.InvalidRequest,
                $"The path says {target} in place of a run id; then the header {NativeHeaders.Run} must name your own run.",
                NativeHeaders.Run);
        }
        if (RawPath.Unescape(own) is not { } text || !RunId.TryParse(text, null, out var ownRun))
            return Problems.From(ErrorCode.InvalidRunId, $"The run id {RunId.FindFault(RawPath.Unescape(own)) ?? "is no percent-encoded UTF-8"}.", NativeHeaders.Run);
        var registry = context.RequestServices.GetRequiredService<IRunRegistry>();
        if (await Targets.FindAsync(registry, environment, ownRun, target, context.RequestAborted) is not { } run)
            return Problems.From(ErrorCode.RunNotFound, $"There is no run {ownRun}, whose {target} was asked for.", NativeHeaders.Run);
        context.Features.Set(new StreamPath(new StreamAddress(environment, run, key)));
        return null;
    }

    private static async ValueTask<EnvironmentId?> AuthenticateAsync(HttpContext context)
    {
        if (Bearer.Find(context.Request.Headers) is not { } secretKey) return null;
        var environments = context.RequestServices.GetRequiredService<IEnvironments>();
        return await environments.FindBySecretKeyAsync(secretKey, context.RequestAborted);
    }

    private static ProblemResult Invalid(string run) => Problems.From(ErrorCode.InvalidRunId, $"The run id {RunId.FindFault(run)}.");
}
