using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing.Tests;

public class FreePortTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_listens_until_somebody_does()
    {
        var port = FreePort.Find();
        using var refused = new TcpClient();
        await Assert.ThrowsAnyAsync<SocketException>(async () => await refused.ConnectAsync(IPAddress.Loopback, port, Token));

        using var server = new TcpListener(IPAddress.Loopback, port);
        server.Start();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Token);
        using var accepted = await server.AcceptSocketAsync(Token);
    }

    [Fact]
    public void A_port_is_found_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere ports are not kept.");
        var ports = Enumerable.Range(0, 100).SelectMany(_ => FreePort.Find(3)).ToList();

        Assert.Equal(ports.Count, ports.Distinct().Count());
    }
}
