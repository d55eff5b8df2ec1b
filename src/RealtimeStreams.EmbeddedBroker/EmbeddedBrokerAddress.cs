namespace RealtimeStreams.EmbeddedBroker;

/// <summary>Where the embedded broker is. Its text leaves the credentials out.</summary>
/// <param name="Url">A NATS URL with credentials, <c>nats://user:password@127.0.0.1:port</c>. Not for logs.</param>
/// <param name="Monitoring">The server's HTTP monitoring, <c>http://127.0.0.1:port/</c>. It needs no credentials and tells none.</param>
public sealed record EmbeddedBrokerAddress(string Url, Uri Monitoring)
{
    /// <summary>The address without credentials.</summary>
    public override string ToString() => $"nats://{Url[(Url.LastIndexOf('@') + 1)..]}";
}
