using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing.Tests;

public sealed class TcpProxyTests : IAsyncDisposable
{
    private readonly EchoServer echo = new();
    private readonly TcpProxy proxy;

    public TcpProxyTests() => proxy = new TcpProxy(echo.Port);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await proxy.DisposeAsync();
        await echo.DisposeAsync();
    }

    [Fact]
    public async Task Bytes_pass_in_both_directions_and_an_end_passes_too()
    {
        using var client = await ConnectAsync();
        var sent = new byte[1_000_000];
        new Random(1).NextBytes(sent);

        var stream = client.GetStream();
        var writing = WriteAllAsync(client, sent);
        var received = new MemoryStream();
        await stream.CopyToAsync(received, Token);
        await writing;

        Assert.Equal(sent, received.ToArray());
        Assert.Equal((1, 0, 0), (proxy.Accepted, proxy.Refused, proxy.Cuts));
    }

    [Fact]
    public async Task Cutting_all_resets_open_connections_and_lets_new_ones_through()
    {
        using var first = await ConnectAsync();
        using var second = await ConnectAsync();
        Assert.Equal(42, await EchoAsync(first, 42));
        Assert.Equal(43, await EchoAsync(second, 43));

        Assert.Equal(2, proxy.CutAll());

        await Assert.ThrowsAsync<IOException>(() => EchoAsync(first, 1));
        await Assert.ThrowsAsync<IOException>(() => EchoAsync(second, 1));
        using var third = await ConnectAsync();
        Assert.Equal(44, await EchoAsync(third, 44));
        Assert.Equal((3, 2), (proxy.Accepted, proxy.Cuts));
    }

    [Fact]
    public async Task While_it_does_not_listen_connections_are_refused_and_it_keeps_its_port()
    {
        using var open = await ConnectAsync();
        Assert.Equal(42, await EchoAsync(open, 42));
        for (var round = 0; round < 3; round++)
        {
            proxy.StopListening();
            proxy.StopListening();
            var refused = await Assert.ThrowsAnyAsync<SocketException>(ConnectAsync);
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            Assert.Equal(43, await EchoAsync(open, 43));

            proxy.Accept();
            proxy.Accept();
            using var again = await ConnectAsync();
            Assert.Equal(44, await EchoAsync(again, 44));
        }
        Assert.Equal((4, 0, 0), (proxy.Accepted, proxy.Refused, proxy.Cuts));
    }

    [Fact]
    public async Task Processes_that_are_being_started_do_not_keep_it_listening()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a socket that is closed may be kept for a moment.");
        using var done = new CancellationTokenSource();
        var starting = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    using var process = Process.Start("/bin/true");
                    await process.WaitForExitAsync(Token);
                }
            },
            Token);
        for (var round = 0; round < 200; round++)
        {
            proxy.StopListening();
            await Assert.ThrowsAnyAsync<SocketException>(ConnectAsync);
            proxy.Accept();
            using var again = await ConnectAsync();
            Assert.Equal(44, await EchoAsync(again, 44));
        }
        await done.CancelAsync();
        await starting;
    }

    [Fact]
    public async Task A_reset_by_the_target_reaches_a_client_that_only_listens()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var other = new TcpProxy(((IPEndPoint)listener.LocalEndpoint).Port);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", other.Port, Token);
        using var target = await listener.AcceptSocketAsync(Token);

        target.Close(timeout: 0);

        await Assert.ThrowsAsync<IOException>(async () => await client.GetStream().ReadExactlyAsync(new byte[1], Token));
    }

    [Fact]
    public async Task A_swallowed_answer_reaches_nobody_and_ends_its_connection()
    {
        using var client = await ConnectAsync();
        Assert.Equal(1, await EchoAsync(client, 1));

        proxy.SwallowNextAnswer();

        await Assert.ThrowsAsync<IOException>(() => EchoAsync(client, 2));
        using var next = await ConnectAsync();
        Assert.Equal(3, await EchoAsync(next, 3));
        Assert.Equal((1, 1), (proxy.Swallowed, proxy.Cuts));
    }

    [Fact]
    public async Task Refused_connections_are_reset_and_open_ones_stay()
    {
        using var open = await ConnectAsync();
        Assert.Equal(1, await EchoAsync(open, 1));

        proxy.Refuse();

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var refused = await ConnectAsync();
            await EchoAsync(refused, 2);
        });
        Assert.Equal(3, await EchoAsync(open, 3));
        Assert.Equal(1, proxy.Refused);

        proxy.Accept();
        using var accepted = await ConnectAsync();
        Assert.Equal(4, await EchoAsync(accepted, 4));
    }

    [Fact]
    public async Task A_pause_holds_bytes_back_and_loses_none()
    {
        using var client = await ConnectAsync();
        Assert.Equal(1, await EchoAsync(client, 1));

        proxy.Pause();
        var echoing = EchoAsync(client, 2);
        using var other = await ConnectAsync();
        Assert.False(echoing.IsCompleted);
        proxy.Resume();

        Assert.Equal(2, await echoing);
        Assert.Equal(3, await EchoAsync(other, 3));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Random_cuts_come_within_the_bytes_stated(int seed)
    {
        proxy.CutRandomly(seed, 1_000, 5_000);
        for (var connection = 1; connection <= 10; connection++)
        {
            using var client = await ConnectAsync();
            var received = 0;
            try
            {
                // Each byte passes the proxy twice.
                for (; received < 5_000; received++) _ = await EchoAsync(client, 7);
            }
            catch (Exception exception) when (exception is IOException or EndOfStreamException)
            {
            }

            Assert.InRange(received, 499, 2_500);
            Assert.Equal(connection, proxy.Cuts);
        }

        proxy.StopCutting();
        using var peaceful = await ConnectAsync();
        for (var bytes = 0; bytes < 5_000; bytes++) Assert.Equal(9, await EchoAsync(peaceful, 9));
    }

    [Fact]
    public async Task A_target_that_is_not_there_is_a_reset()
    {
        proxy.TargetPort = FreePort.Find();

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var client = await ConnectAsync();
            await EchoAsync(client, 1);
        });

        proxy.TargetPort = echo.Port;
        using var again = await ConnectAsync();
        Assert.Equal(1, await EchoAsync(again, 1));
    }

    private static async Task WriteAllAsync(TcpClient client, byte[] bytes)
    {
        await client.GetStream().WriteAsync(bytes, Token);
        client.Client.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte> EchoAsync(TcpClient client, byte value)
    {
        var buffer = new[] { value };
        await client.GetStream().WriteAsync(buffer, Token);
        await client.GetStream().ReadExactlyAsync(buffer, Token);
        return buffer[0];
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", proxy.Port, Token);
        return client;
    }
}
