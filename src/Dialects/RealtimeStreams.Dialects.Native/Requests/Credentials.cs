using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Finds out who asks: a bearer is a secret key, or a public token that was signed with one.</summary>
internal static class Credentials
{
    /// <summary>The caller; null when the request has no valid credential.</summary>
    public static async ValueTask<Caller?> FindCallerAsync(HttpContext context)
    {
        if (Bearer.Find(context.Request.Headers) is not { } credential) return null;
        var services = context.RequestServices;
        // A secret key may have dots too, so that it is asked for in any case.
        if (credential.AsSpan().Count('.') == 2
            && await services.GetRequiredService<IAccessTokens>().VerifyAsync(credential, context.RequestAborted) is { } grant)
        {
            return new Caller(grant.Environment, grant);
        }
        return await services.GetRequiredService<IEnvironments>().FindBySecretKeyAsync(credential, context.RequestAborted) is { } environment
            ? new Caller(environment, null)
            : null;
    }
}
