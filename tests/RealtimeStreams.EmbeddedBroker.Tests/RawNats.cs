using System.Net.Sockets;
using System.Text;

namespace RealtimeStreams.EmbeddedBroker.Tests;

/// <summary>As much of the NATS protocol as it takes to say that a server is there, lets one in, and answers.</summary>
internal static class RawNats
{
    /// <summary>The server's greeting, and what it answers to a log-in and a ping: <c>PONG</c>, or an error.</summary>
    public static async Task<(string Greeting, string Answer)> LogInAsync(string url, CancellationToken cancellationToken)
    {
        var address = new Uri(url);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, cancellationToken);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var greeting = await reader.ReadLineAsync(cancellationToken);

        var user = address.UserInfo.Split(':');
        var connect = user.Length == 2
            ? $$"""CONNECT {"verbose":false,"user":"{{user[0]}}","pass":"{{user[1]}}"}"""
            : """CONNECT {"verbose":false}""";
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{connect}\r\nPING\r\n"), cancellationToken);
        return (greeting ?? "", await reader.ReadLineAsync(cancellationToken) ?? "");
    }
}
