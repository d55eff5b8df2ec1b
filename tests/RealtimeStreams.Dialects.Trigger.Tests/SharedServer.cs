using RealtimeStreams.Dialects.Trigger.Tests;
using RealtimeStreams.Testing;

[assembly: AssemblyFixture(typeof(SharedServer))]

namespace RealtimeStreams.Dialects.Trigger.Tests;

/// <summary>One server alone on one broker, for all tests that leave both running. Each test uses runs of its own.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    private TestBroker? broker;
    private ServerProcess? process;

    public ServerProcess Process => process ?? throw new InvalidOperationException("The server was not started.");

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        process = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url });
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null) await process.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
