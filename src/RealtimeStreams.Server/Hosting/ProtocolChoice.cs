using System.Reflection;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RealtimeStreams.Server.Hosting;

/// <summary>What Kestrel keeps to itself of how a connection's protocol is chosen. Looked up once, at the start.</summary>
/// <param name="featureType">The connection feature that overrules an endpoint's protocols.</param>
/// <param name="http2">The feature that says HTTP/2. It never changes, so that all connections share it.</param>
/// <param name="tls">Whether an endpoint has TLS.</param>
internal sealed class ProtocolChoice(Type featureType, object http2, PropertyInfo tls)
{
    private const string FeatureType = "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.HttpProtocolsFeature";
    private const string TlsProperty = "IsTls";

    /// <param name="kestrel">Kestrel's assembly.</param>
    /// <exception cref="InvalidOperationException">It is not as it must be; the message says what is missing.</exception>
    public static ProtocolChoice Find(Assembly kestrel)
    {
        var feature = kestrel.GetType(FeatureType) ?? throw Missing(kestrel, $"the type {FeatureType}");
        var constructor = feature.GetConstructor([typeof(HttpProtocols)]) ?? throw Missing(kestrel, $"a constructor of {FeatureType} from {nameof(HttpProtocols)}");
        var tls = typeof(ListenOptions).GetProperty(TlsProperty, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, null, typeof(bool), [], null)
            ?? throw Missing(kestrel, $"the property {nameof(ListenOptions)}.{TlsProperty}");
        return new ProtocolChoice(feature, constructor.Invoke([HttpProtocols.Http2]), tls);
    }

    /// <summary>Whether the endpoint has TLS, which tells by ALPN what it carries.</summary>
    public bool HasTls(ListenOptions endpoint) => (bool)tls.GetValue(endpoint)!;

    /// <summary>Has Kestrel serve the connection as HTTP/2.</summary>
    public void ChooseHttp2(ConnectionContext connection) => connection.Features[featureType] = http2;

    /// <summary>Whether the connection was told to be HTTP/2.</summary>
    public bool IsHttp2(ConnectionContext connection) => ReferenceEquals(connection.Features[featureType], http2);

    private static InvalidOperationException Missing(Assembly kestrel, string what) => new(
        $"{kestrel.GetName().Name} {kestrel.GetName().Version} lacks {what}, by which HTTP/1.1 and HTTP/2 share a clear-text port. " +
        "Run the server on .NET 10.");
}
