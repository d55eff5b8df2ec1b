using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing;

/// <summary>One connection through a <see cref="TcpProxy"/>: two sockets, and a pump in each direction.</summary>
internal sealed class ProxiedConnection(TcpProxy proxy, Socket client)
{
    private readonly Socket target = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource ended = new();
    private readonly Lock state = new();
    private RandomCuts? drawnFrom;
    private (long Bytes, bool Reset) budget;
    private bool closed;

    /// <summary>Passes bytes on until both ends have finished or one broke.</summary>
    public async Task RunAsync(int targetPort)
    {
        try
        {
            client.NoDelay = target.NoDelay = true;
            await target.ConnectAsync(new IPEndPoint(IPAddress.Loopback, targetPort), ended.Token);
            await Task.WhenAll(RunPumpAsync(client, target), RunPumpAsync(target, client));
            Close(reset: false);
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            Close(reset: true);
        }
    }

    /// <summary>Cuts it, with a reset or an orderly end.</summary>
    /// <returns>False if it had ended already.</returns>
    public bool Cut(bool reset) => Close(reset, proxy.CountCut);

    private async Task RunPumpAsync(Socket from, Socket to)
    {
        try
        {
            await PumpAsync(from, to);
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            Close(reset: true); // As the end that broke did, at once: the other end may have nothing to send, and would never learn of it.
        }
    }

    private static bool IsBroken(Exception exception) => exception is SocketException or ObjectDisposedException or OperationCanceledException;

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = await from.ReceiveAsync(buffer, ended.Token);
            await proxy.PassingAsync(ended.Token);
            if (read == 0) break;
            if (from == target && proxy.TakeSwallow())
            {
                Cut(reset: true);
                return;
            }
            var (allowed, reset) = Allow(read);
            for (var sent = 0; sent < allowed;) sent += await to.SendAsync(buffer.AsMemory(sent, allowed - sent), ended.Token);
            if (allowed == read) continue;
            Cut(reset);
            return;
        }

        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>How many of the bytes may pass before the connection is to be cut, and how it is then cut.</summary>
    private (int Bytes, bool Reset) Allow(int bytes)
    {
        lock (state)
        {
            if (proxy.CurrentCuts is not { } cuts) return (bytes, false);
            if (cuts != drawnFrom) (drawnFrom, budget) = (cuts, cuts.Draw());
            var allowed = (int)Math.Min(bytes, budget.Bytes);
            budget.Bytes -= allowed;
            return (allowed, budget.Reset);
        }
    }

    private bool Close(bool reset, Action? first = null)
    {
        lock (state)
        {
            if (closed) return false;
            closed = true;
        }

        first?.Invoke(); // Counted before anybody can see it.
        End(client, reset);
        End(target, reset);
        ended.Cancel();
        return true;
    }

    private static void End(Socket socket, bool reset)
    {
        try
        {
            // A close that does not linger throws away what is unsent and sends a reset.
            if (reset) socket.LingerState = new LingerOption(enable: true, seconds: 0);
            else socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // It was not connected, or not any more.
        }

        socket.Dispose();
    }
}
