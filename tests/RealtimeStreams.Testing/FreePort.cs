using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing;

/// <summary>Loopback ports that nobody listens on.</summary>
public static class FreePort
{
    /// <summary>A port that was free a moment ago. Somebody else may take it, which the system makes unlikely by handing them out in turn.</summary>
    public static int Find() => Find(1)[0];

    /// <summary>So many ports that were free a moment ago, all different.</summary>
    public static IReadOnlyList<int> Find(int count)
    {
        // All are held until all are known.
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            return [.. listeners.Select(listener =>
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            })];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }
}
