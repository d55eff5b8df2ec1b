using System.Globalization;
using System.Net;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Server.Tests;

public sealed class KeepAliveTests
{
    // The timer column of /proc/net/tcp (proc_pid_net(5)): 2 is keep-alive. That of retransmission, 1, may be there for a moment.
    private const string KeepAliveTimer = "02";

    [Fact]
    public async Task A_silent_connection_is_asked_whether_it_is_still_there()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows a connection's timer.");
        await using var listener = await Listener.StartAsync();
        await using var connection = await listener.ConnectAsync();
        var client = (IPEndPoint)connection.Socket.LocalEndPoint!;

        await Until.TrueAsync(() => $"No keep-alive timer: {Find()}", () => Find()?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[5].Split(':')[0] == KeepAliveTimer);

        string? Find() => File.ReadLines("/proc/net/tcp").FirstOrDefault(row =>
            row.Contains(string.Create(CultureInfo.InvariantCulture, $":{listener.Address.Port:X4} "), StringComparison.Ordinal)
            && row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2].EndsWith(string.Create(CultureInfo.InvariantCulture, $":{client.Port:X4}"), StringComparison.Ordinal));
    }
}
