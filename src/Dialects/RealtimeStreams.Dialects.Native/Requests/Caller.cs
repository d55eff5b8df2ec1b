using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Who asks. The gate has checked it.</summary>
/// <param name="Credential">With what.</param>
/// <param name="Token">The public token; null for a secret key. Never for a log.</param>
internal sealed record Caller(Credential Credential, string? Token = null)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => Credential.ToString();

    /// <summary>The environment that the credential opens.</summary>
    public EnvironmentId Environment => Credential.Environment;

    /// <summary>What a public token grants in it; null for a secret key, which may do everything.</summary>
    public AccessGrant? Grant => Credential.Grant;

    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.GetRequiredFeature<Caller>());
}

/// <summary>The run in the request's path.</summary>
internal sealed record RunPath(EnvironmentId Environment, RunId Run)
{
    public static ValueTask<RunPath> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.GetRequiredFeature<RunPath>());
}

/// <summary>The stream in the request's path, with <c>self</c>, <c>parent</c> and <c>root</c> replaced by the run they stand for.</summary>
internal sealed record StreamPath(StreamAddress Address)
{
    public static ValueTask<StreamPath> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<StreamPath>());
}
