using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>One broker and one server for several rows. They start with the first of these, and the server is warm when it is handed out.</summary>
internal sealed class Stage(bool quick) : IAsyncDisposable
{
    private TestBroker? broker;
    private ServerUnderTest? server;

    public async Task<(TestBroker Broker, ServerUnderTest Server)> GetAsync(CancellationToken cancellationToken)
    {
        broker ??= await TestBroker.StartAsync(cancellationToken: cancellationToken);
        if (server is not null) return (broker, server);
        server = await ServerUnderTest.StartAsync(broker, cancellationToken);
        // A server lives for weeks; what its first seconds cost, while its code is still being compiled, is no row of the table.
        await WarmUp.RunAsync(server, TimeSpan.FromSeconds(quick ? 4 : 12), cancellationToken);
        return (broker, server);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
    }
}
