using NATS.Client.Core;

using RealtimeStreams.Testing;

namespace NATS.NKeys.Tests;

public class LogInTests
{
    private static readonly string seed = KeyPairTests.Seed("SU", [.. Enumerable.Range(1, 32).Select(value => (byte)value)]);

    [Fact]
    public async Task A_real_server_lets_the_owner_of_an_nkey_in_and_nobody_else()
    {
        using var pair = KeyPair.FromSeed(seed);
        await using var broker = await TestBroker.StartAsync(
            new TestBrokerOptions { MoreConfiguration = $"authorization {{ users: [ {{ nkey: {pair.GetPublicKey()} }} ] }}" },
            TestContext.Current.CancellationToken);

        await using var owner = new NatsConnection(Options(broker, pair.GetPublicKey(), seed));
        await owner.PingAsync(TestContext.Current.CancellationToken);

        var otherSeed = KeyPairTests.Seed("SU", new byte[32]);
        await using var impostor = new NatsConnection(Options(broker, pair.GetPublicKey(), otherSeed));
        await Assert.ThrowsAsync<NatsException>(async () => await impostor.ConnectAsync());
    }

    private static NatsOpts Options(TestBroker broker, string publicKey, string seed) => NatsOpts.Default with
    {
        Url = broker.Url,
        AuthOpts = new NatsAuthOpts { NKey = publicKey, Seed = seed },
        MaxReconnectRetry = 0,
    };
}
