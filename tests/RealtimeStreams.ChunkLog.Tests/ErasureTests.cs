using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>An erasure on several nodes: when it returns, nobody has anything any more.</summary>
public sealed class ErasureTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task When_it_returns_no_node_has_anything_in_memory_any_more()
    {
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        await using var third = await LogNode.StartAsync(fixture.Broker.Url);
        for (var round = 0; round < 20; round++)
        {
            var stream = NewStream();
            await fixture.Node.AppendAsync(stream, "0", "1", "2");
            await using var here = await fixture.Node.Log.OpenTailAsync(stream, None);
            await using var there = await other.Log.OpenTailAsync(stream, None);
            Assert.NotNull(there.Find(new ChunkIndex(1)));

            await third.Log.EraseAsync(stream.Environment, stream.Run, None);

            // At once: no waiting here.
            Assert.Equal((true, true), (here.Erased, there.Erased));
            Assert.Null(here.Find(new ChunkIndex(1)));
            Assert.Null(there.Find(new ChunkIndex(1)));
            Assert.True(await there.WaitAsync(new ChunkIndex(3), TimeSpan.FromMinutes(1), None));
        }
    }

    [Fact]
    public async Task A_node_that_left_is_not_waited_for_and_one_that_just_came_is()
    {
        var left = await LogNode.StartAsync(fixture.Broker.Url);
        await left.DisposeAsync();
        var stream = NewStream();
        await fixture.Node.AppendAsync(stream, "0");
        await using var late = await LogNode.StartAsync(fixture.Broker.Url);
        await using var tail = await late.Log.OpenTailAsync(stream, None);

        await fixture.Node.Log.EraseAsync(stream.Environment, stream.Run, None).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, None);

        Assert.True(tail.Erased);
    }

    [Fact]
    public async Task A_node_that_lives_and_does_not_answer_keeps_the_erasure_from_being_done()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var deaf = await LogNode.StartAsync(proxy.Url);
        var stream = NewStream();
        await fixture.Node.AppendAsync(stream, "0");
        await using var tail = await deaf.Log.OpenTailAsync(stream, None);
        proxy.Hold("realtimestreams-tail"); // It speaks, and hears nothing.

        await Assert.ThrowsAsync<LogUnavailableException>(() => fixture.Node.Log.EraseAsync(stream.Environment, stream.Run, None));

        proxy.Release("realtimestreams-tail");
        await fixture.Node.Log.EraseAsync(stream.Environment, stream.Run, None);
        Assert.True(tail.Erased);
    }
}
