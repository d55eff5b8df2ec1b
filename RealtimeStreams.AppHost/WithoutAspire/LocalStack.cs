using System.Net;
using System.Net.Sockets;
using RealtimeStreams.AppHost.Showing;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>The server and the demo worker on this machine. The broker and the database are the server's embedded ones, unless set.</summary>
internal sealed class LocalStack(Arguments arguments) : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TellAgain = TimeSpan.FromSeconds(10);
    private readonly List<ChildProcess> children = []; // In the order of their start.
    private readonly Uri api = arguments.Url ?? new Uri($"http://127.0.0.1:{ChoosePort(LocalData.UsualPort)}");

    /// <summary>Starts the server and returns once it can append.</summary>
    public async Task<(Uri Api, string SecretKey)> StartServerAsync(CancellationToken cancellationToken)
    {
        await Console.Out.WriteLineAsync($"Starting the server at {api} with its data in {LocalData.Directory} …".AsMemory(), cancellationToken);
        var server = Start("server", Path.Combine("src", "RealtimeStreams.Server"), ["--urls", api.GetLeftPart(UriPartial.Authority)], new()
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["RealtimeStreams__DataDirectory"] = LocalData.Directory,
            ["RealtimeStreams__Greeting"] = "false", // This host greets, and knows of the demo too.
        });
        await WaitUntilReadyAsync(server, cancellationToken);
        var secretKey = DevelopmentKey.Find(LocalData.Directory)
            ?? throw new StackException($"The server is ready, but there is no secret key in {LocalData.Directory}.");
        return (api, secretKey);
    }

    /// <summary>Starts the demo worker.</summary>
    /// <returns>Where it takes requests for runs.</returns>
    public Uri StartDemo(string secretKey)
    {
        var worker = new Uri($"http://127.0.0.1:{ChoosePort(LocalData.UsualDemoPort)}");
        Start("worker", Path.Combine("samples", "DemoWorker"), ["--urls", worker.GetLeftPart(UriPartial.Authority)], new()
        {
            ["DOTNET_ENVIRONMENT"] = "Development",
            ["RealtimeStreams__Client__BaseAddress"] = api.ToString(),
            ["RealtimeStreams__Client__SecretKey"] = secretKey,
        });
        return worker;
    }

    /// <summary>Returns when asked to stop.</summary>
    /// <exception cref="StackException">A part ended by itself.</exception>
    public async Task WaitForEndAsync(CancellationToken cancellationToken)
    {
        var ends = children.ConvertAll(child => child.WaitForEndAsync(cancellationToken));
        var first = await Task.WhenAny(ends);
        var exitCode = await first;
        throw new StackException($"The {children[ends.IndexOf(first)].Name} ended by itself with exit code {exitCode}; what it said stands above.");
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = children.Count - 1; i >= 0; i--)
            await children[i].DisposeAsync();
    }

    private ChildProcess Start(string name, string project, string[] args, Dictionary<string, string> environment)
    {
        var child = ChildProcess.Start(name, Repository.ProgramOf(project), args, environment);
        children.Add(child);
        return child;
    }

    // The first start may fetch the broker, so there is no deadline: it is told what is missing, again and again.
    private async Task WaitUntilReadyAsync(ChildProcess server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = api };
        var lastTold = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var state = "no answer yet";
            try
            {
                using var health = await http.GetAsync(new Uri("health", UriKind.Relative), cancellationToken);
                if (health.IsSuccessStatusCode)
                    return;
                state = await health.Content.ReadAsStringAsync(cancellationToken);
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            if (server.HasEnded)
                throw new StackException("The server ended while it was starting; what it said stands above.");
            if (TimeProvider.System.GetElapsedTime(lastTold) > TellAgain)
            {
                lastTold = TimeProvider.System.GetTimestamp();
                await Console.Out.WriteLineAsync($"Waiting for the server to be ready: {state}".AsMemory(), cancellationToken);
            }

            await Task.Delay(Beat, TimeProvider.System, cancellationToken);
        }
    }

    private static int ChoosePort(int usual) => TryListen(usual) ?? TryListen(0) ?? throw new StackException("This machine has no free port.");

    private static int? TryListen(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
