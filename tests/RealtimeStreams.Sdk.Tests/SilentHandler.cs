namespace RealtimeStreams.Sdk.Tests;

/// <summary>Never answers the requests that a test chooses, as over a connection that something on the way has forgotten.</summary>
/// <param name="isSilent">Chooses.</param>
internal sealed class SilentHandler(Func<HttpRequestMessage, bool> isSilent) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (isSilent(request)) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}
