using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>What stands before every endpoint: a credential that meets the route's demand, a path whose ids can be ids, and errors in the dialect's shape.</summary>
/// <remarks>It wraps the endpoint, and so comes before its parameters are bound; an endpoint filter would come after.</remarks>
internal static partial class Gate
{
    public const string RunParameter = "runId";
    public const string TargetParameter = "target";
    public const string KeyParameter = "key";
    public const string InputParameter = "input";
    public const string TaskParameter = "taskId";

    public static TBuilder Require<TBuilder>(this TBuilder endpoints, Demand demand)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            var path = PathParameters.Of(((RouteEndpointBuilder)endpoint).RoutePattern);
            endpoint.RequestDelegate = context => AnswerAsync(context, demand, path, inner);
        });
        return endpoints;
    }

    private static async Task AnswerAsync(HttpContext context, Demand demand, PathParameters path, RequestDelegate inner)
    {
        try
        {
            var error = await AdmitAsync(context, demand, path);
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
        finally
        {
            RequestLimits.Release(context);
        }
    }

    private static async ValueTask<TriggerError?> AdmitAsync(HttpContext context, Demand demand, PathParameters path)
    {
        if (await Credentials.FindCallerAsync(context) is not { } caller)
        {
            if (context.RequestServices.GetRequiredService<Logins>().CountFailure(context) is { } guessing) return TriggerError.From(guessing);
            var allowed = demand == Demand.SecretKey ? "the environment's secret key" : "the environment's secret key, or a public access token that has not expired";
            return TriggerError.From(ErrorCode.Unauthorized, $"Invalid or missing credential: send {allowed} as Authorization: Bearer <key>.");
        }
        var token = caller.Grant is null ? null : caller.Bearer;
        if (context.RequestServices.GetRequiredService<RequestLimits>().Admit(context, caller.Environment, token) is { } limited) return TriggerError.From(limited);
        if (caller.Grant is not null && demand == Demand.SecretKey)
            return Forbid(context, TriggerError.From(ErrorCode.Unauthorized, "A public access token is no credential here; send the environment's secret key."));
        context.Features.Set(caller);
        if (path.HasTask) return AdmitTask(context, caller);
        if (!path.HasRun) return null;
        if (!path.TryRead(context, out var run, out var key, out var error)) return error;
        if (path.TargetOf(context) is { } target and not "self")
        {
            var registry = context.RequestServices.GetRequiredService<IRunRegistry>();
            if (await registry.FindFamilyAsync(caller.Environment, run, context.RequestAborted) is not { } family)
                return TriggerError.From(ErrorCode.RunNotFound, $"There is no run {run}, whose {target} was asked for.");
            // A run without a parent is its own parent and root, as for the clients.
            run = target == "parent" ? family.Parent ?? run : family.Root ?? family.Parent ?? run;
        }
        if (caller.Grant is not null && await FindRefusalAsync(context, caller, demand, run) is { } refusal) return refusal;
        context.Features.Set(new StreamPath(new StreamAddress(caller.Environment, run, key)));
        return null;
    }

    private static TriggerError? AdmitTask(HttpContext context, Caller caller)
    {
        if (!PathParameters.TryReadTask(context, out var task, out var error)) return error;
        if (caller.Grant is { } grant && !grant.MeetsTrigger(task)) return Forbid(context, TriggerError.OutOfScope);
        context.Features.Set(new TaskPath(task));
        return null;
    }

    /// <summary>
    /// The run is looked up before the scopes are, because they may name its task and tags. Whether there is a run is told only to a token that allows the
    /// route for its id.
    /// </summary>
    private static async ValueTask<TriggerError?> FindRefusalAsync(HttpContext context, Caller caller, Demand demand, RunId run)
    {
        var registry = context.RequestServices.GetRequiredService<IRunRegistry>();
        var found = await registry.FindBriefAsync(caller.Environment, run, context.RequestAborted);
        if (!caller.Grant!.Meets(demand, run, found)) return Forbid(context, TriggerError.OutOfScope);
        return found is null ? TriggerError.From(ErrorCode.RunNotFound, $"There is no run {run}.") : null;
    }

    private static TriggerError Forbid(HttpContext context, TriggerError error)
    {
        context.RequestServices.GetRequiredService<ICredentials>().CountForbidden();
        return error;
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Error, Message = "A {Method} request failed")]
    private static partial void LogFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Debug, Message = "A {Method} request was refused: {Code}")]
    private static partial void LogRefused(ILogger logger, string method, string code);
}
