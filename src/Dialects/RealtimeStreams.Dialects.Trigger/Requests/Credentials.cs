using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>Finds out who asks.</summary>
internal static class Credentials
{
    /// <summary>The caller; null when the request has no valid credential.</summary>
    public static async ValueTask<Caller?> FindCallerAsync(HttpContext context) =>
        Bearer.Find(context.Request.Headers) is { } bearer
        && await context.RequestServices.GetRequiredService<Logins>().FindAsync(context, bearer) is { } credential
            ? new Caller(credential, bearer)
            : null;
}
