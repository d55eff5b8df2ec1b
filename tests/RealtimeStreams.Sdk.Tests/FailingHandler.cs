namespace RealtimeStreams.Sdk.Tests;

/// <summary>Throws what a test wants in place of sending a request.</summary>
/// <param name="fault">What to throw; null to send it.</param>
internal sealed class FailingHandler(Func<HttpRequestMessage, Exception?> fault) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        fault(request) is { } failure ? Task.FromException<HttpResponseMessage>(failure) : base.SendAsync(request, cancellationToken);
}
