using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing;

/// <summary>Loopback ports that nobody listens on.</summary>
public static class FreePort
{
    /// <summary>
    /// Keep their ports until this process ends, on Linux: there a socket that is bound and does not listen leaves its port to whoever asks for it by
    /// number and shares addresses (SO_REUSEADDR), as servers do.
    /// </summary>
    private static readonly ConcurrentBag<Socket> reservations = [];

    /// <summary>
    /// A port that nobody listens on. On Linux the system gives it to nobody who asks for any port while this process lives, also while a server that
    /// was started on it is down. Elsewhere it was free a moment ago.
    /// </summary>
    public static int Find() => Find(1)[0];

    /// <summary>So many such ports, all different.</summary>
    public static IReadOnlyList<int> Find(int count)
    {
        // All are held until all are known. None listens: a process that is being started inherits what is open, and would keep it listening.
        var bound = Enumerable.Range(0, count).Select(_ => Bind()).ToList();
        int[] ports = [.. bound.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port)];
        foreach (var socket in bound)
        {
            if (OperatingSystem.IsLinux()) reservations.Add(socket);
            else socket.Dispose();
        }
        return ports;
    }

    private static Socket Bind()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
