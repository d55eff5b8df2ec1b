using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>What stands before every endpoint: a credential that the route's rule takes, and a path whose ids can be ids.</summary>
/// <remarks>It wraps the endpoint, and so comes before its parameters are bound; an endpoint filter would come after.</remarks>
internal static class Gate
{
    public const string RunParameter = "runId";
    public const string KeyParameter = "key";

    public static TBuilder RequireAccess<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            var pattern = ((RouteEndpointBuilder)endpoint).RoutePattern;
            var rule = AccessRules.Of((RouteEndpointBuilder)endpoint);
            var hasRun = pattern.GetParameter(RunParameter) is not null;
            var hasKey = pattern.GetParameter(KeyParameter) is not null;
            var ofStreams = pattern.RawText!.Contains("/streams/", StringComparison.Ordinal);
            endpoint.RequestDelegate = async context =>
            {
                var problem = await AdmitAsync(context, rule, hasRun, hasKey && ofStreams);
                await (problem is null ? inner(context) : problem.ExecuteAsync(context));
            };
        });
        return endpoints;
    }

    /// <summary>What whoever has no valid credential is told.</summary>
    public static ProblemResult Unauthorized(HttpContext context, string detail)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Problems.From(ErrorCode.Unauthorized, detail);
    }

    private static async ValueTask<ProblemResult?> AdmitAsync(HttpContext context, AccessRule rule, bool hasRun, bool hasKey)
    {
        if (await Credentials.FindCallerAsync(context) is not { } caller)
        {
            return Unauthorized(context, rule.TakesTokens
                ? "Send the environment's secret key, or a public access token that has not expired, as Authorization: Bearer <credential>."
                : "Send the environment's secret key as Authorization: Bearer <key>.");
        }
        // Before the path is looked at: the answer tells nothing of what is there.
        if (caller.Grant is not null && !rule.TakesTokens) return Forbidden(rule);
        context.Features.Set(caller);
        if (!hasRun) return null;
        if (RawPath.Find(context, RunParameter) is not { } run)
            return Problems.From(ErrorCode.InvalidRunId, $"The run id in the path {RawPath.Fault}.");
        if (!hasKey) return await AdmitRunAsync(context, caller, rule, run);
        if (RawPath.Find(context, KeyParameter) is not { } key)
            return Problems.From(ErrorCode.InvalidStreamKey, $"The stream key in the path {RawPath.Fault}.");
        if (!StreamKey.TryParse(key, null, out var streamKey))
            return Problems.From(ErrorCode.InvalidStreamKey, $"The stream key {StreamKey.FindFault(key)}.");
        if (Targets.Names(run)) return await AdmitTargetAsync(context, caller, rule, run, streamKey);
        if (!RunId.TryParse(run, null, out var runId)) return Invalid(run);
        if (await FindRefusalAsync(context, caller, rule, runId, streamKey, RunTexts.NotFound(runId)) is { } refusal) return refusal;
        context.Features.Set(new StreamPath(new StreamAddress(caller.Environment, runId, streamKey)));
        return null;
    }

    private static async ValueTask<ProblemResult?> AdmitRunAsync(HttpContext context, Caller caller, AccessRule rule, string run)
    {
        if (!RunId.TryParse(run, null, out var runId)) return Invalid(run);
        if (await FindRefusalAsync(context, caller, rule, runId, null, RunTexts.NotFound(runId)) is { } refusal) return refusal;
        context.Features.Set(new RunPath(caller.Environment, runId));
        return null;
    }

    private static async ValueTask<ProblemResult?> AdmitTargetAsync(HttpContext context, Caller caller, AccessRule rule, string target, StreamKey key)
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
        // A token learns neither whether there is a run nor what its parent is called, unless it may do something there.
        var missing = new Refusal(ErrorCode.RunNotFound, $"There is no run {ownRun}, whose {target} was asked for.");
        if (await Targets.FindAsync(registry, caller.Environment, ownRun, target, context.RequestAborted) is not { } run)
            return Problems.From(missing.Code, missing.Detail, NativeHeaders.Run);
        if (await FindRefusalAsync(context, caller, rule, run, key, missing, NativeHeaders.Run) is { } refusal) return refusal;
        context.Features.Set(new StreamPath(new StreamAddress(caller.Environment, run, key)));
        return null;
    }

    /// <summary>
    /// Whether a token is refused. What it does not allow is forbidden where one of its scopes is about the same run or stream, so that whoever has
    /// it may know of that; anything else looks like a run that is not there.
    /// </summary>
    private static async ValueTask<ProblemResult?> FindRefusalAsync(
        HttpContext context, Caller caller, AccessRule rule, RunId run, StreamKey? key, Refusal missing, string? field = null)
    {
        if (caller.Grant is not { } grant || rule.IsMetBy(grant, run, key, null)) return null;
        // A scope may be about the run's task or one of its tags.
        var row = await context.RequestServices.GetRequiredService<IRunRegistry>().FindBriefAsync(caller.Environment, run, context.RequestAborted);
        if (row is { IsHidden: true }) row = null;
        if (row is not null && rule.IsMetBy(grant, run, key, row)) return null;
        return AccessRule.IsKnownTo(grant, run, key, row) ? Forbidden(rule) : Problems.From(missing.Code, missing.Detail, field);
    }

    private static ProblemResult Forbidden(AccessRule rule) =>
        Problems.From(ErrorCode.Forbidden, $"The access token does not allow this. It needs {rule.Needs}.");

    private static ProblemResult Invalid(string run) => Problems.From(ErrorCode.InvalidRunId, $"The run id {RunId.FindFault(run)}.");
}
