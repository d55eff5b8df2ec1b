using System.Net;
using System.Net.Sockets;
using System.Text;
using RealtimeStreams.Server.Hosting;

namespace RealtimeStreams.Server.Tests;

public sealed class ProtocolsOnOnePortTests
{
    private static readonly byte[] preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    // An empty SETTINGS frame (RFC 9113, section 6.5): length 0, type 4, no flags, stream 0.
    private static readonly byte[] settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_clear_text_port_speaks_both_versions()
    {
        await using var listener = await Listener.StartAsync();

        Assert.Equal("HTTP/1.1", await AskAsync(listener, HttpVersion.Version11));
        Assert.Equal("HTTP/2", await AskAsync(listener, HttpVersion.Version20));
        Assert.Equal("HTTP/1.1", await AskAsync(listener, HttpVersion.Version11));
    }

    [Fact]
    public async Task With_tls_the_port_speaks_what_the_handshake_agreed_on()
    {
        await using var listener = await Listener.StartAsync(tls: true);

        Assert.Equal("HTTP/1.1", await AskAsync(listener, HttpVersion.Version11));
        Assert.Equal("HTTP/2", await AskAsync(listener, HttpVersion.Version20));
    }

    [Fact]
    public async Task A_preface_may_come_byte_by_byte()
    {
        await using var listener = await Listener.StartAsync();
        await using var connection = await listener.ConnectAsync();

        foreach (var one in preface.Concat(settings)) await connection.WriteAsync((byte[])[one], Cancellation); // Without Nagle: a packet each.

        Assert.Equal(4, (await ReadAsync(connection, 9))[3]);
    }

    [Theory]
    [InlineData("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n")]
    [InlineData("PRIX / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\0\u0001\u0002 nothing at all\r\n\r\n")]
    public async Task What_is_neither_is_answered_as_the_older_version_answers_it(string garbage)
    {
        await using var listener = await Listener.StartAsync();
        await using var connection = await listener.ConnectAsync();

        await connection.WriteAsync(Encoding.ASCII.GetBytes(garbage), Cancellation);

        Assert.Matches("^HTTP/1.1 (400|405|505)$", Encoding.ASCII.GetString(await ReadAsync(connection, 12)));
        Assert.Equal("HTTP/2", await AskAsync(listener, HttpVersion.Version20));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_connection_that_falls_silent_is_closed_by_the_servers_own_limits(int sent)
    {
        await using var listener = await Listener.StartAsync(kestrel =>
        {
            kestrel.Limits.KeepAliveTimeout = sent == 0 ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromHours(1);
            kestrel.Limits.RequestHeadersTimeout = sent == 0 ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(100);
        });
        await using var connection = await listener.ConnectAsync();

        await connection.WriteAsync(preface.AsMemory(0, sent), Cancellation);

        Assert.True(await IsClosedAsync(connection));
    }

    [Fact]
    public async Task A_connection_that_closes_within_the_preface_harms_nobody()
    {
        await using var listener = await Listener.StartAsync();
        await using (var connection = await listener.ConnectAsync()) await connection.WriteAsync(preface.AsMemory(0, 7), Cancellation);
        await using (var connection = await listener.ConnectAsync())
        {
            connection.Socket.LingerState = new LingerOption(true, 0); // Reset, not closed.
            await connection.WriteAsync(preface.AsMemory(0, 7), Cancellation);
        }

        Assert.Equal("HTTP/1.1", await AskAsync(listener, HttpVersion.Version11));
    }

    [Fact]
    public async Task A_silent_connection_does_not_hold_up_the_stop()
    {
        await using var listener = await Listener.StartAsync();
        await using var connection = await listener.ConnectAsync();
        await connection.WriteAsync(preface.AsMemory(0, 3), Cancellation);

        // Without the request to close it would be the host's 30 seconds.
        await listener.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancellation);

        Assert.True(await IsClosedAsync(connection));
    }

    [Fact]
    public async Task An_endpoint_that_allows_one_version_only_keeps_to_it()
    {
        await using var listener = await Listener.StartAsync(protocols: "Http1");

        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(listener, HttpVersion.Version20));
    }

    [Fact]
    public void A_kestrel_without_what_is_needed_stops_the_start_and_says_what()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => ProtocolChoice.Find(typeof(object).Assembly));

        Assert.Contains("HttpProtocolsFeature", exception.Message, StringComparison.Ordinal);
        Assert.Contains(".NET 10", exception.Message, StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(Listener listener, Version version)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=127.0.0.1";
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, listener.Address) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<byte[]> ReadAsync(NetworkStream connection, int count)
    {
        var bytes = new byte[count];
        await connection.ReadExactlyAsync(bytes, Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancellation);
        return bytes;
    }

    private static async Task<bool> IsClosedAsync(NetworkStream connection)
    {
        var reading = connection.ReadAsync(new byte[1], Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancellation);
        try
        {
            return await reading == 0;
        }
        catch (IOException)
        {
            return true; // Reset.
        }
    }
}
