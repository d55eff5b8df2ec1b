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
    public const string InputParameter = "input";

    /// <summary>What is told when a credential ends before the answer has begun.</summary>
    public const string Ended = "The credential was valid when the request came, and is no more.";

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
            var stream = hasKey && ofStreams ? KeyParameter : pattern.GetParameter(InputParameter) is null ? null : InputParameter;
            endpoint.RequestDelegate = async context =>
            {
                try
                {
                    var problem = await AdmitAsync(context, rule, hasRun, stream);
                    await (problem is null ? inner(context) : problem.ExecuteAsync(context));
                }
                finally
                {
                    RequestLimits.Release(context);
                }
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

    /// <param name="context">The request.</param>
    /// <param name="rule">What the route asks for.</param>
    /// <param name="hasRun">Whether the path names a run.</param>
    /// <param name="stream">The parameter that names a stream of it; null: the run as a whole.</param>
    private static async ValueTask<ProblemResult?> AdmitAsync(HttpContext context, AccessRule rule, bool hasRun, string? stream)
    {
        if (await Credentials.FindCallerAsync(context) is not { } caller)
        {
            if (context.RequestServices.GetRequiredService<Logins>().CountFailure(context) is { } guessing) return Problems.From(guessing);
            return Unauthorized(context, rule.TakesTokens
                ? "Send the environment's secret key, or a public access token that has not expired, as Authorization: Bearer <credential>."
                : "Send the environment's secret key as Authorization: Bearer <key>.");
        }
        if (context.RequestServices.GetRequiredService<RequestLimits>().Admit(context, caller.Environment, caller.Token) is { } limited)
            return Problems.From(limited);
        // Before the path is looked at: the answer tells nothing of what is there.
        if (caller.Grant is not null && !rule.TakesTokens) return Forbidden(context, rule);
        context.Features.Set(caller);
        if (!hasRun) return null;
        if (RawPath.Find(context, RunParameter) is not { } run)
            return Problems.From(ErrorCode.InvalidRunId, $"The run id in the path {RawPath.Fault}.");
        if (stream is null) return await AdmitRunAsync(context, caller, rule, run);
        if (FindKeyFault(RawPath.Find(context, stream), stream, out var streamKey) is { } fault) return Problems.From(ErrorCode.InvalidStreamKey, fault);
        if (Targets.Names(run)) return await AdmitTargetAsync(context, caller, rule, run, streamKey);
        if (!RunId.TryParse(run, null, out var runId)) return Invalid(run);
        if (await FindRefusalAsync(context, caller, rule, runId, streamKey, RunTexts.NotFound(runId)) is { } refusal) return refusal;
        context.Features.Set(new StreamPath(new StreamAddress(caller.Environment, runId, streamKey)));
        return null;
    }

    /// <summary>Makes a stream's key of what the path names it by; an input stream's name becomes its key.</summary>
    private static string? FindKeyFault(string? text, string parameter, out StreamKey key)
    {
        key = default;
        if (parameter == InputParameter)
        {
            if (text is null) return $"The input's name in the path {RawPath.Fault}.";
            return InputStreams.TryMakeKey(text, out key) ? null : $"The input's name {StreamKey.FindFault(text) ?? $"is too long behind {InputStreams.Prefix}"}.";
        }
        if (text is null) return $"The stream key in the path {RawPath.Fault}.";
        return StreamKey.TryParse(text, null, out key) ? null : $"The stream key {StreamKey.FindFault(text)}.";
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
        var forbidden = Forbidden(context, rule);
        return AccessRule.IsKnownTo(grant, run, key, row) ? forbidden : Problems.From(missing.Code, missing.Detail, field);
    }

    private static ProblemResult Forbidden(HttpContext context, AccessRule rule)
    {
        context.RequestServices.GetRequiredService<ICredentials>().CountForbidden();
        return Problems.From(ErrorCode.Forbidden, $"The access token does not allow this. It needs {rule.Needs}.");
    }

    private static ProblemResult Invalid(string run) => Problems.From(ErrorCode.InvalidRunId, $"The run id {RunId.FindFault(run)}.");
}
