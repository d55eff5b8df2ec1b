using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Administration;

/// <summary>What stands before the admin API: the operator key, and an environment's id that can be one. No environment's key and no token opens it.</summary>
internal static class OperatorGate
{
    public const string EnvironmentParameter = "environmentId";
    public const string KeyParameter = "keyId";

    public static TBuilder RequireOperatorKey<TBuilder>(this TBuilder endpoints, string operatorKey)
        where TBuilder : IEndpointConventionBuilder
    {
        // Digests, because they are compared in the same time whatever the lengths are.
        var expected = Digest(operatorKey);
        endpoints.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            var pattern = ((RouteEndpointBuilder)endpoint).RoutePattern;
            var hasEnvironment = pattern.GetParameter(EnvironmentParameter) is not null;
            var hasKey = pattern.GetParameter(KeyParameter) is not null;
            endpoint.RequestDelegate = async context =>
            {
                context.Response.Headers.CacheControl = "no-store"; // An answer may hold a key.
                var problem = Admit(context, expected, hasEnvironment, hasKey);
                await (problem is null ? inner(context) : problem.ExecuteAsync(context));
            };
        });
        return endpoints;
    }

    private static ProblemResult? Admit(HttpContext context, byte[] expected, bool hasEnvironment, bool hasKey)
    {
        // Whoever has guessed too often is not told either when he is right.
        var logins = context.RequestServices.GetRequiredService<Logins>();
        if (!logins.MayTry(context) && logins.CountFailure(context) is { } guessing) return Problems.From(guessing);
        if (FindFault(context, expected) is { } reason)
        {
            if (reason == "wrong" && logins.CountFailure(context) is { } tooOften) return Problems.From(tooOften);
            context.RequestServices.GetRequiredService<AdminTelemetry>().RecordRefusal(reason);
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Problems.From(ErrorCode.Unauthorized, "Send the operator key as Authorization: Bearer <key>. No environment's key opens the admin API.");
        }
        if (!hasEnvironment) return null;
        if (RawPath.Find(context, EnvironmentParameter) is not { } id)
            return Problems.From(ErrorCode.InvalidRequest, $"The environment id in the path {RawPath.Fault}.", EnvironmentParameter);
        if (!EnvironmentId.TryParse(id, null, out var environment))
            return Problems.From(ErrorCode.InvalidRequest, $"The environment id {EnvironmentId.FindFault(id)}.", EnvironmentParameter);
        var key = hasKey ? RawPath.Find(context, KeyParameter) : "";
        if (key is null) return Problems.From(ErrorCode.InvalidRequest, $"The key id in the path {RawPath.Fault}.", KeyParameter);
        context.Features.Set(new EnvironmentPath(environment, key));
        return null;
    }

    private static string? FindFault(HttpContext context, byte[] expected)
    {
        if (context.Request.Headers.Authorization.Count == 0) return "none";
        if (Bearer.Find(context.Request.Headers) is not { } credential) return "malformed";
        return CryptographicOperations.FixedTimeEquals(Digest(credential), expected) ? null : "wrong";
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
