using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A server that starts while its broker can hardly be reached, or not at all.</summary>
public sealed class StartTests(ITestOutputHelper output)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_whose_connections_to_the_broker_are_refused_reset_and_cut_while_it_starts_is_ready_when_they_hold()
    {
        foreach (var seed in Sweep.Seeds(1))
        {
            output.WriteLine($"Seed {seed}");
            await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
            await using var proxy = new TcpProxy(broker.Port);
            proxy.Refuse();
            var starting = ServerProcess.StartAsync(new ServerProcessOptions { Nats = $"nats://127.0.0.1:{proxy.Port}" }, Cancelled);
            await HappensAsync(() => proxy.Refused > 2, "No connection was reset.");
            proxy.StopListening();
            proxy.Accept();
            proxy.CutRandomly(seed, 1, 4000);
            await HappensAsync(() => proxy.Cuts > 5, "Too few connections were cut.");
            proxy.StopCutting();
            await using var server = await starting;
            using var api = new Api(server.CreateClient());
            var run = await api.RegisterAsync();

            Assert.Equal(0, (await api.AppendAsync(run, "s", "1")).FirstIndex);

            async Task HappensAsync(Func<bool> condition, string missing)
            {
                var waiting = Until.TrueAsync(() => missing, condition, TimeSpan.FromSeconds(60));
                if (await Task.WhenAny(waiting, starting) == starting) await starting; // Says why it has not started.
                await waiting;
            }
        }
    }

    [Fact]
    public async Task A_server_that_is_asked_to_stop_while_it_waits_for_its_broker_just_stops()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var proxy = new TcpProxy(broker.Port);
        proxy.Refuse();
        await using var server = ServerProcess.Prepare(new ServerProcessOptions { Nats = $"nats://127.0.0.1:{proxy.Port}" });
        var starting = server.StartAgainAsync(Cancelled);
        await Until.TrueAsync(() => "It did not ask for its broker.", () => proxy.Refused > 2, TimeSpan.FromSeconds(60));

        Assert.Equal(0, await server.StopAsync(Cancelled));

        await Assert.ThrowsAsync<InvalidOperationException>(() => starting);
        Assert.DoesNotContain(server.Log, line => line.StartsWith("Unhandled exception", StringComparison.Ordinal));
    }
}
