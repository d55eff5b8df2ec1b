using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Requests;

/// <summary>Who asks. The gate has checked it.</summary>
internal sealed record Caller(EnvironmentId Environment)
{
    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(context.Features.GetRequiredFeature<Caller>());
}

/// <summary>The stream in the request's path, with <c>parent</c> and <c>root</c> replaced by the run they stand for.</summary>
internal sealed record StreamPath(StreamAddress Address)
{
    public static ValueTask<StreamPath> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<StreamPath>());
}
