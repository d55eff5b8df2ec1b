using System.Net.Sockets;

namespace RealtimeStreams.Testing.Tests;

public class TestBrokerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_broker_is_away_and_comes_back_on_the_same_port()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Token);
        var first = broker.ProcessId;
        Assert.StartsWith("INFO ", await GreetingAsync(broker), StringComparison.Ordinal);

        broker.Kill();
        await Assert.ThrowsAsync<SocketException>(() => GreetingAsync(broker));
        Assert.Throws<InvalidOperationException>(() => broker.ProcessId);

        await broker.StartAgainAsync(Token);
        Assert.StartsWith("INFO ", await GreetingAsync(broker), StringComparison.Ordinal);
        Assert.NotEqual(first, broker.ProcessId);
    }

    [Fact]
    public async Task A_broker_that_cannot_start_says_what_the_server_said()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestBroker.StartAsync(new TestBrokerOptions { MoreConfiguration = "nonsense {" }, Token));

        Assert.Contains("nats-server ended", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_of_three_forms_and_forms_again_after_one_was_killed()
    {
        await using var cluster = await TestCluster.StartAsync(cancellationToken: Token);
        Assert.Equal(3, cluster.Url.Split(',').Distinct().Count());

        cluster.Nodes[1].Kill();
        await cluster.Nodes[1].StartAgainAsync(Token);

        await cluster.WaitUntilFormedAsync(Token);
    }

    private static async Task<string?> GreetingAsync(TestBroker broker)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", broker.Port, Token);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadLineAsync(Token);
    }
}
