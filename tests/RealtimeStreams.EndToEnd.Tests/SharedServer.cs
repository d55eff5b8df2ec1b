using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Testing;

[assembly: AssemblyFixture(typeof(SharedServer))]

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>One server on one broker, for all tests that leave both running. Each test uses runs of its own.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    /// <summary>A web page that may call.</summary>
    public const string AllowedOrigin = "https://app.example";

    /// <summary>One that may too, and is no secure page, so that it may also call a server in clear text.</summary>
    public const string AllowedPlainOrigin = "http://page.example";

    private TestBroker? broker;
    private ServerProcess? process;

    public ServerProcess Process => process ?? throw new InvalidOperationException("The server was not started.");

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        process = await ServerProcess.StartAsync(new ServerProcessOptions
        {
            Nats = broker.Url,
            Settings = new Dictionary<string, string> { ["RealtimeStreams__AllowedOrigins"] = $"{AllowedOrigin}/, https://other.example, {AllowedPlainOrigin}" },
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
