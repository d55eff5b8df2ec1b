using RealtimeStreams.Dialects.S2.Tests.Server;
using RealtimeStreams.Testing;

[assembly: AssemblyFixture(typeof(S2Server))]

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>One real server on one broker, for all tests that leave both running. Each test uses streams of its own.</summary>
public sealed class S2Server : IAsyncLifetime
{
    private TestBroker? broker;
    private ServerProcess? process;

    /// <summary>The basin of the default environment.</summary>
    public const string Basin = "env-default-37a8eec1";

    /// <summary>Opens the admin API.</summary>
    public const string OperatorKey = "operator-0123456789-abcdefghijkl";

    public ServerProcess Process => process ?? throw new InvalidOperationException("The server was not started.");

    /// <summary>A caller over HTTP/2 with prior knowledge, on a connection of its own.</summary>
    internal S2Caller NewCaller(string? credential = null, bool http2 = true) => new(Process, credential ?? Process.SecretKey, http2);

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        process = await ServerProcess.StartAsync(new ServerProcessOptions
        {
            Nats = broker.Url,
            Settings = new Dictionary<string, string> { ["RealtimeStreams__OperatorKey"] = OperatorKey },
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
