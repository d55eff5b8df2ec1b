using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Who asks: the environment that the request's secret key opens. The gate has checked it.</summary>
internal sealed record Caller(EnvironmentId Environment)
{
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
