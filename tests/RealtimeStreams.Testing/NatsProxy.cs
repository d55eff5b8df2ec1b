using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace RealtimeStreams.Testing;

/// <summary>
/// A loopback port in front of a broker, which tells connections apart by the names that NATS clients give themselves. A test can hold back what the
/// broker says on those of one name, and cut them, in which case what was held back is lost.
/// </summary>
public sealed partial class NatsProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource disposing = new();
    private readonly ConcurrentDictionary<Link, Task> links = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> held = new(StringComparer.Ordinal);
    private readonly Task accepting;

    /// <summary>Opens a port and passes its connections on.</summary>
    public NatsProxy(int targetPort)
    {
        listener.Start();
        accepting = AcceptAsync(targetPort);
    }

    /// <summary>The address to connect to instead of the broker's.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>Holds back what the broker sends on connections of this name, also on later ones, until <see cref="Release"/>.</summary>
    public void Hold(string name) => held[name] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Passes on what was held back, and what comes.</summary>
    public void Release(string name)
    {
        if (held.TryRemove(name, out var gate)) gate.SetResult();
    }

    /// <summary>Passes on what was held back, and holds back what comes behind it.</summary>
    public void ReleaseHeld(string name)
    {
        var until = held[name];
        held[name] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // First: what is passed on brings the next.
        until.SetResult();
    }

    /// <summary>How many connections of this name are open.</summary>
    public int Open(string name) => links.Keys.Count(link => link.Name == name);

    /// <summary>How many bytes are being held back on connections of this name. More may wait in sockets.</summary>
    public long Held(string name) => links.Keys.Where(link => link.Name == name).Sum(link => link.Held);

    /// <summary>Resets the connections of this name.</summary>
    /// <returns>How many there were.</returns>
    public int Cut(string name) => links.Keys.Count(link => link.Name == name && link.Cut());

    public async ValueTask DisposeAsync()
    {
        await disposing.CancelAsync();
        listener.Dispose();
        await accepting;
        foreach (var link in links.Keys) link.Cut();
        await Task.WhenAll(links.Values);
        disposing.Dispose();
    }

    private async Task AcceptAsync(int targetPort)
    {
        while (!disposing.IsCancellationRequested)
        {
            try
            {
                var link = new Link(this, await listener.AcceptSocketAsync(disposing.Token));
                var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                links[link] = done.Task;
                _ = RunAsync(link, done); // Ends with its sockets, which Dispose cuts and then waits for.
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The loop's condition says whether to go on.
            }
        }

        async Task RunAsync(Link link, TaskCompletionSource done)
        {
            await link.RunAsync(targetPort);
            links.TryRemove(link, out _);
            done.SetResult();
        }
    }

    private sealed partial class Link(NatsProxy proxy, Socket client)
    {
        private readonly Socket broker = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly CancellationTokenSource ended = new();
        private long holding;
        private int cut;

        public string? Name { get; private set; }

        public long Held => Interlocked.Read(ref holding);

        public bool Cut()
        {
            if (Interlocked.Exchange(ref cut, 1) == 1) return false;
            ended.Cancel();
            foreach (var socket in (ReadOnlySpan<Socket>)[client, broker])
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                socket.Dispose();
            }
            return true;
        }

        public async Task RunAsync(int targetPort)
        {
            try
            {
                client.NoDelay = true;
                await broker.ConnectAsync(new IPEndPoint(IPAddress.Loopback, targetPort), ended.Token);
                await await Task.WhenAny(PassToBrokerAsync(), PassToClientAsync());
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // One end broke; so does the other.
            }
            Cut();
        }

        private async Task PassToBrokerAsync()
        {
            var buffer = new byte[64 * 1024];
            var greeting = new StringBuilder();
            while (await client.ReceiveAsync(buffer, ended.Token) is > 0 and var read)
            {
                if (Name is null && ClientName().Match(greeting.Append(Encoding.UTF8.GetString(buffer, 0, read)).ToString()) is { Success: true } match)
                    Name = match.Groups[1].Value;
                await SendAsync(broker, buffer.AsMemory(0, read));
            }
        }

        private async Task PassToClientAsync()
        {
            var buffer = new byte[64 * 1024];
            while (await broker.ReceiveAsync(buffer, ended.Token) is > 0 and var read)
            {
                if (Name is not null && proxy.held.TryGetValue(Name, out var gate))
                {
                    Interlocked.Add(ref holding, read);
                    await gate.Task.WaitAsync(ended.Token);
                    Interlocked.Add(ref holding, -read);
                }
                await SendAsync(client, buffer.AsMemory(0, read));
            }
        }

        private async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
        {
            while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, ended.Token)..];
        }

        [GeneratedRegex("^CONNECT \\{.*\"name\":\"([^\"]*)\"", RegexOptions.Multiline)]
        private static partial Regex ClientName();
    }
}
