using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing;

/// <summary>
/// A loopback port in front of another one, on which a test makes the network fail: cut every connection, cut at random after so many bytes, refuse new
/// ones or reset them at once, let no byte through for a while, or swallow an answer. It counts what it did, so that a test can assert that it happened.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly Lock listenerLock = new();
    private readonly CancellationTokenSource disposing = new();
    private readonly ConcurrentDictionary<ProxiedConnection, Task> open = new();
    private readonly Lock gateLock = new();
    private Task accepting = Task.CompletedTask; // It and the listener are of the listener's lock.
    private TcpListener? listener;
    private TaskCompletionSource gate = OpenGate();
    private volatile RandomCuts? randomCuts;
    private volatile bool refusing;
    private volatile int targetPort;
    private int accepted;
    private int refused;
    private int cut;
    private int toSwallow;
    private int swallowed;

    /// <summary>Opens a port and passes its connections on to <paramref name="targetPort"/> of this machine.</summary>
    public TcpProxy(int targetPort)
    {
        this.targetPort = targetPort;
        Listen();
    }

    /// <summary>The port to connect to instead of the target's.</summary>
    public int Port { get; } = FreePort.Find();

    /// <summary>The port that new connections are passed on to.</summary>
    public int TargetPort { get => targetPort; set => targetPort = value; }

    /// <summary>How many connections were passed on so far.</summary>
    public int Accepted => Volatile.Read(ref accepted);

    /// <summary>How many connections were refused so far.</summary>
    public int Refused => Volatile.Read(ref refused);

    /// <summary>How many connections this proxy has cut so far.</summary>
    public int Cuts => Volatile.Read(ref cut);

    /// <summary>How many answers were swallowed so far.</summary>
    public int Swallowed => Volatile.Read(ref swallowed);

    /// <summary>How many connections are open now.</summary>
    public int Open => open.Count;

    /// <summary>Cuts every open connection with a reset. New ones are passed on.</summary>
    /// <returns>How many were cut.</returns>
    public int CutAll() => open.Keys.Count(connection => connection.Cut(reset: true));

    /// <summary>Resets new connections at once, until <see cref="Accept"/>. Open ones stay.</summary>
    public void Refuse() => refusing = true;

    /// <summary>Does not even listen, until <see cref="Accept"/>, as if there were no such program. Open connections stay.</summary>
    public void StopListening()
    {
        lock (listenerLock)
        {
            if (listener is null) return;
            // To dispose is not enough: a process that is being started has inherited the socket and keeps it listening until it runs its own program.
            if (OperatingSystem.IsLinux()) listener.Server.Shutdown(SocketShutdown.Both);
            listener.Dispose();
            listener = null;
        }
    }

    /// <summary>Passes new connections on again.</summary>
    public void Accept()
    {
        refusing = false;
        Listen();
    }

    /// <summary>
    /// The next bytes that come back from the target, on whichever connection, are thrown away and that connection is cut: the request arrived, and its
    /// sender never hears of it. Once for each call.
    /// </summary>
    public void SwallowNextAnswer() => Interlocked.Increment(ref toSwallow);

    /// <summary>Lets no byte through in either direction until <see cref="Resume"/>; connections stay open, and their senders fill their buffers.</summary>
    public void Pause()
    {
        lock (gateLock)
        {
            if (gate.Task.IsCompleted) gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Lets bytes through again.</summary>
    public void Resume()
    {
        lock (gateLock) gate.TrySetResult();
    }

    /// <summary>
    /// From now on cuts each connection when it has passed on a random number of bytes, both directions together; one half by a reset, the other by an
    /// orderly end, in the middle of what was being sent. The same seed gives the same numbers in the order in which connections come to need one.
    /// </summary>
    public void CutRandomly(int seed, int minimumBytes, int maximumBytes) => randomCuts = new RandomCuts(new Random(seed), minimumBytes, maximumBytes);

    /// <summary>Ends what <see cref="CutRandomly"/> began.</summary>
    public void StopCutting() => randomCuts = null;

    public async ValueTask DisposeAsync()
    {
        await disposing.CancelAsync();
        StopListening();
        await accepting;
        foreach (var (connection, _) in open) connection.Cut(reset: true);
        await Task.WhenAll(open.Values);
        disposing.Dispose();
    }

    /// <summary>Completes while bytes may pass.</summary>
    internal Task PassingAsync(CancellationToken cancellationToken)
    {
        Task opened;
        lock (gateLock) opened = gate.Task;
        return opened.WaitAsync(cancellationToken);
    }

    /// <summary>Whether the bytes that have just come from the target are to be swallowed.</summary>
    internal bool TakeSwallow()
    {
        int left;
        do
        {
            left = Volatile.Read(ref toSwallow);
            if (left == 0) return false;
        }
        while (Interlocked.CompareExchange(ref toSwallow, left - 1, left) != left);
        Interlocked.Increment(ref swallowed);
        return true;
    }

    internal RandomCuts? CurrentCuts => randomCuts;

    internal void CountCut() => Interlocked.Increment(ref cut);

    private static TaskCompletionSource OpenGate()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }

    private void Listen()
    {
        lock (listenerLock)
        {
            if (listener is not null) return;
            listener = new TcpListener(IPAddress.Loopback, Port);
            listener.Start();
            accepting = AcceptAsync(listener, accepting);
        }
    }

    private async Task AcceptAsync(TcpListener from, Task before)
    {
        await before;
        while (!disposing.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await from.AcceptSocketAsync(disposing.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or InvalidOperationException)
            {
                return; // It does not listen any more.
            }
            catch (SocketException)
            {
                continue; // It was that one connection's, or the next call says that nobody listens.
            }

            if (refusing)
            {
                Interlocked.Increment(ref refused);
                client.Close(timeout: 0);
                continue;
            }

            Interlocked.Increment(ref accepted);
            var connection = new ProxiedConnection(this, client);
            // Entered before it runs, as it leaves by itself.
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            open[connection] = done.Task;
            _ = RunAsync(connection, done);
        }
    }

    private async Task RunAsync(ProxiedConnection connection, TaskCompletionSource done)
    {
        try
        {
            await connection.RunAsync(targetPort);
        }
        finally
        {
            open.TryRemove(connection, out _);
            done.SetResult();
        }
    }
}

/// <summary>Draws after how many bytes a connection is cut, and how.</summary>
internal sealed class RandomCuts(Random random, int minimumBytes, int maximumBytes)
{
    private readonly Lock drawing = new();

    public (long Bytes, bool Reset) Draw()
    {
        lock (drawing) return (random.NextInt64(minimumBytes, maximumBytes + 1L), random.Next(2) == 0);
    }
}
