using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>Who asks. The gate has checked it.</summary>
/// <param name="Environment">The environment that the credential opens.</param>
/// <param name="Grant">What a public token grants in it; null for a secret key, which may do everything.</param>
/// <param name="Credential">The credential. Never for a log.</param>
internal sealed record Caller(EnvironmentId Environment, AccessGrant? Grant, string Credential)
{
    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.GetRequiredFeature<Caller>());

    /// <summary>Watches over the token while the request goes on; null for a secret key.</summary>
    public IAccessWatch? Watch(IAccessTokens tokens) => Grant is null ? null : tokens.Watch(Grant);

    /// <summary>Without the credential.</summary>
    public override string ToString() => $"{Environment}, {(Grant is null ? "secret key" : "public token")}";
}

/// <summary>The stream in the request's path, with <c>parent</c> and <c>root</c> replaced by the run they stand for.</summary>
internal sealed record StreamPath(StreamAddress Address)
{
    public static ValueTask<StreamPath> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<StreamPath>());
}

/// <summary>The task in the request's path.</summary>
internal sealed record TaskPath(string Task)
{
    public static ValueTask<TaskPath> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.GetRequiredFeature<TaskPath>());
}
