using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Native.Administration;

/// <summary>The environment in the request's path, and the id of one of its keys where the path has one. The gate has checked who asks.</summary>
internal sealed record EnvironmentPath(EnvironmentId Environment, string Key)
{
    public static ValueTask<EnvironmentPath> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<EnvironmentPath>());
}
