using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing;

/// <summary>Loopback ports that nobody listens on.</summary>
public static class FreePort
{
    /// <summary>A port that was free a moment ago. Somebody else may take it, which the system makes unlikely by handing them out in turn.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
