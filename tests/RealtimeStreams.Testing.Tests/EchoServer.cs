using System.Net;
using System.Net.Sockets;

namespace RealtimeStreams.Testing.Tests;

/// <summary>Sends back what it gets, on each connection until that ends.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource disposing = new();
    private readonly Task serving;

    public EchoServer()
    {
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await disposing.CancelAsync();
        await serving;
        listener.Dispose();
        disposing.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(EchoAsync(await listener.AcceptTcpClientAsync(disposing.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task EchoAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await client.GetStream().CopyToAsync(client.GetStream(), disposing.Token);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // Cut, or the test is over.
            }
        }
    }
}
