using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>A tail under the faults that its subscription, which is at most once, has to be repaired from. The clock is the test's: checks come when it says so.</summary>
public sealed class TailTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private const string TailLink = "realtimestreams-tail";
    private const string ReadLink = "realtimestreams-read";
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_record_that_comes_while_the_leader_is_being_asked_is_not_taken_for_erased()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await LogNode.StartAsync(proxy.Url, clock: clock);
        var stream = NewStream();
        await using var tail = await node.Log.OpenTailAsync(stream, None);

        proxy.Hold(ReadLink);
        clock.Advance(TimeSpan.FromSeconds(2)); // The stream is silent: the leader is asked, and says that there is nothing.
        await Until.TrueAsync(() => "The leader was not asked about the silent stream.", () => proxy.Held(ReadLink) > 0);
        await fixture.Node.AppendAsync(stream, "1");
        await Until.TrueAsync(() => "The record did not come.", () => tail.NextIndex.Value == 1);
        proxy.Release(ReadLink);

        await node.Log.FindAsync(stream, None); // Its answer comes behind the held one.
        await using var another = await node.Log.OpenTailAsync(stream, None);
        Assert.False(tail.Erased);
        Assert.NotNull(tail.Find(ChunkIndex.Zero));
    }

    [Fact]
    public async Task A_reader_that_joins_others_knows_all_that_was_acknowledged_before()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await LogNode.StartAsync(proxy.Url, clock: clock);
        var stream = NewStream();
        await using var first = await node.Log.OpenTailAsync(stream, None);
        proxy.Hold(TailLink); // What the broker repeats is slow, or gets lost.
        await node.AppendAsync(stream, "1", "2");
        Assert.Equal(0, first.NextIndex.Value);

        await using var second = await node.Log.OpenTailAsync(stream, None);
        Assert.Equal(2, second.NextIndex.Value);
        Assert.Equal(2, first.NextIndex.Value);
        proxy.Release(TailLink);
    }

    [Fact]
    public async Task A_thousand_readers_that_join_at_once_share_a_few_questions_to_the_leader()
    {
        var stream = NewStream();
        await fixture.Node.AppendAsync(stream, "1");
        var tails = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => fixture.Node.Log.OpenTailAsync(stream, None).AsTask()));
        Assert.All(tails, tail => Assert.Equal(1, tail.NextIndex.Value));
        var wakes = tails.Select(tail => tail.WaitAsync(new ChunkIndex(1), TimeSpan.FromMinutes(1), None).AsTask()).ToList();
        await fixture.Node.AppendAsync(stream, "2");
        Assert.All(await Task.WhenAll(wakes), Assert.True);
        foreach (var tail in tails) await tail.DisposeAsync();
    }

    [Fact]
    public async Task One_round_of_checks_finds_what_hundreds_of_streams_have_missed()
    {
        const int Streams = 300;
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await LogNode.StartAsync(proxy.Url, clock: clock);
        var streams = Enumerable.Range(0, Streams).Select(_ => NewStream()).ToList();
        var tails = new List<IStreamTail>();
        foreach (var stream in streams) tails.Add(await node.Log.OpenTailAsync(stream, None));

        proxy.Hold(TailLink);
        foreach (var stream in streams) await fixture.Node.AppendAsync(stream, "1");
        await Until.TrueAsync(() => "Nothing was repeated to the node.", () => proxy.Held(TailLink) > 0);
        Assert.Equal(1, proxy.Cut(TailLink)); // And with it all that was held back.
        proxy.Release(TailLink);
        await Until.TrueAsync(() => "The node did not connect again.", () => proxy.Open(TailLink) == 1 && node.Session.IsConnected);
        Assert.All(tails, tail => Assert.Equal(0, tail.NextIndex.Value));

        var (more, lastBeat) = (0, 0L);
        await Until.TrueAsync(
            () => $"{tails.Count(tail => tail.NextIndex.Value == 0)} of {Streams} streams were not checked within a few beats after the reconnect.",
            () =>
            {
                // Beats until one finds the connection open, and then a few for those that the reconnect marked while that one was looking, or whose question timed out.
                var begun = tails.Any(tail => tail.NextIndex.Value == 1);
                if (!begun || (more < 5 && TimeProvider.System.GetElapsedTime(lastBeat) > TimeSpan.FromMilliseconds(500)))
                {
                    if (begun) more++;
                    lastBeat = TimeProvider.System.GetTimestamp();
                    clock.Advance(TimeSpan.FromMilliseconds(250));
                }
                return tails.All(tail => tail.NextIndex.Value == 1);
            });
        foreach (var tail in tails) await tail.DisposeAsync();
    }

    [Fact]
    public async Task Readers_that_come_and_go_leave_nothing_behind()
    {
        await using var node = await LogNode.StartAsync(fixture.Broker.Url);
        var streams = Enumerable.Range(0, 4).Select(_ => NewStream()).ToList();
        var random = new Random(4711);
        var seeds = Enumerable.Range(0, 16).Select(_ => random.Next()).ToList();
        await Task.WhenAll(seeds.Select(async seed =>
        {
            var mine = new Random(seed);
            for (var i = 0; i < 40; i++)
            {
                var stream = streams[mine.Next(streams.Count)];
                var tail = await node.Log.OpenTailAsync(stream, None);
                if (mine.Next(2) == 0) await node.AppendAsync(stream, new string('x', mine.Next(1, 2000)));
                await tail.DisposeAsync();
            }
        }));
        Assert.Equal(0, node.Session.Hubs.Count);
        Assert.Equal(0, node.Session.Hubs.RingBytes);
    }

    [Fact]
    public async Task A_reader_that_gave_up_while_the_broker_was_away_leaves_no_subscription()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: None);
        await using var node = await LogNode.StartAsync(broker.Url, options => options.ConfirmTimeout = TimeSpan.FromSeconds(2));
        var stream = NewStream();
        broker.Kill();
        await Until.TrueAsync(() => "The node did not notice that the broker is gone.", () => !node.Session.IsConnected);
        await Assert.ThrowsAsync<LogUnavailableException>(async () => await node.Log.OpenTailAsync(stream, None));
        Assert.Equal(0, node.Session.Hubs.Count);
        await broker.StartAgainAsync(None);
        await Until.TrueAsync(() => "The node did not connect again.", () => node.Session.IsConnected);

        // Were the first one still subscribed, it would have the first record when a later reader has the second.
        var late = await node.Log.OpenTailAsync(stream, None);
        Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, "1"));
        Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, "2"));
        await Until.TrueAsync(() => "The record did not come.", () => late.NextIndex.Value == 2);
        await late.DisposeAsync();
        Assert.Equal(0, node.Session.Hubs.RingBytes);
    }

    [Fact]
    public async Task A_read_under_way_fails_with_its_connection_not_with_its_time()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await LogNode.StartAsync(proxy.Url, clock: clock); // Whose time stands still.
        proxy.Hold(ReadLink);
        var find = node.Log.FindAsync(NewStream(), None);
        await Until.TrueAsync(() => "The broker was not asked.", () => proxy.Held(ReadLink) > 0);
        proxy.Cut(ReadLink);
        await Assert.ThrowsAsync<LogUnavailableException>(() => find.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, None));
        proxy.Release(ReadLink);
    }
}
