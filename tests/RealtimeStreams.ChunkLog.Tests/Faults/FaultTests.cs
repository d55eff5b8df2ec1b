using System.Globalization;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests.Faults;

/// <summary>Brokers that are killed and connections that are cut while producers write and readers follow: every acknowledged chunk is there once.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Killing_the_broker_three_times_loses_and_doubles_nothing(int nodeCount)
    {
        foreach (var seed in Sweep.Seeds(4711))
        {
            output.WriteLine($"seed {seed}");
            await using var broker = await TestBroker.StartAsync(cancellationToken: None);
            await using var nodes = await Nodes.StartAsync(Enumerable.Repeat(broker.Url, nodeCount));
            var stream = NewStream();
            var followers = await nodes.FollowAsync(stream);
            var producers = Producers.Start(nodes.All, stream, 16, seed);
            for (var kill = 0; kill < 3; kill++)
            {
                await producers.AdvanceAsync(300);
                broker.Kill();
                await broker.StartAgainAsync(None);
            }
            await producers.AdvanceAsync(300);
            await AssertAllSawAsync(producers, followers);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Cutting_connections_to_the_broker_at_random_loses_and_doubles_nothing(int nodeCount)
    {
        foreach (var seed in Sweep.Seeds(1234))
        {
            output.WriteLine($"seed {seed}");
            await using var broker = await TestBroker.StartAsync(cancellationToken: None);
            await using var proxy = new TcpProxy(broker.Port);
            var url = string.Create(CultureInfo.InvariantCulture, $"nats://127.0.0.1:{proxy.Port}");
            await using var nodes = await Nodes.StartAsync(Enumerable.Repeat(url, nodeCount));
            var stream = NewStream();
            var followers = await nodes.FollowAsync(stream);
            proxy.CutRandomly(seed, 2_000, 60_000);
            var producers = Producers.Start(nodes.All, stream, 8, seed);
            await Until.TrueAsync(() => $"Only {proxy.Cuts} connections were cut.", () => proxy.Cuts >= 20);
            await producers.AdvanceAsync(200);
            proxy.StopCutting();
            await AssertAllSawAsync(producers, followers);
            output.WriteLine($"{proxy.Cuts} cuts");
        }
    }

    [Fact]
    public async Task While_the_broker_is_gone_appends_are_refused_in_time_and_readers_stay_and_go_on()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: None);
        await using var node = await LogNode.StartAsync(broker.Url, options => options.ConfirmTimeout = TimeSpan.FromSeconds(2));
        var stream = NewStream();
        Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, Batch("p", 0, 0, "1")));
        await using var tail = await node.Log.OpenTailAsync(stream, None);
        broker.Kill();

        // A warm stream, a new one, and a second request behind the first.
        var refusals = await Task.WhenAll(
            node.AppendAsync(stream, Batch("p", 0, 1, "2")), node.AppendAsync(stream, Batch("p", 0, 2, "3")), node.AppendAsync(NewStream(), "1"));
        Assert.All(refusals, outcome => Assert.Equal(ErrorCode.LogUnavailable.Code, Assert.IsType<AppendOutcome.Refused>(outcome).Refusal.Code.Code));
        Assert.All(refusals, outcome => Assert.True(((AppendOutcome.Refused)outcome).Refusal.Code.Retryable));
        await Assert.ThrowsAsync<LogUnavailableException>(() => node.Log.FindAsync(stream, None));
        await Assert.ThrowsAsync<LogUnavailableException>(() => node.Log.EraseAsync(stream.Environment, stream.Run, None).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, None));
        Assert.False(await tail.WaitAsync(tail.NextIndex, TimeSpan.FromMilliseconds(1), None));
        Assert.NotNull(tail.Find(ChunkIndex.Zero)); // What is in memory can still be read.

        await broker.StartAgainAsync(None);
        var wait = tail.WaitAsync(tail.NextIndex, TimeSpan.FromMinutes(1), None).AsTask();
        AppendOutcome outcome;
        while ((outcome = await node.AppendAsync(stream, Batch("p", 0, 1, "2", "3"))) is AppendOutcome.Refused { Refusal.Code.Retryable: true })
        {
        }
        Assert.Equal(2, Assert.IsType<AppendOutcome.Stored>(outcome) is var stored ? stored.Added + stored.Duplicates : 0);
        Assert.True(await wait);
        Assert.Equal(["1", "2", "3"], await node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_full_store_refuses_and_keeps_what_is_there_and_goes_on_with_more_room()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: None);
        var stream = NewStream();
        var chunk = new string('x', 60_000);
        var stored = 0;
        await using (var node = await LogNode.StartAsync(broker.Url, options => options.MaxStoreBytes = 16 * 1024 * 1024))
        {
            AppendOutcome outcome;
            while ((outcome = await node.AppendAsync(stream, Batch("p", 0, stored, chunk))) is AppendOutcome.Stored)
                Assert.True(++stored < 100, "A shard of 1 MiB took 6 MB.");
            Assert.InRange(stored, 10, 18);
            var refusal = Assert.IsType<AppendOutcome.Refused>(outcome).Refusal;
            Assert.Equal((ErrorCode.StoreFull, true, false), (refusal.Code, refusal.Code.Retryable, refusal.Code.MayHaveWritten));
            Assert.Equal(stored, (await node.ReadAllAsync(stream)).Count);
        }
        await using var larger = await LogNode.StartAsync(broker.Url, options => options.MaxStoreBytes = 64 * 1024 * 1024);
        Assert.Equal(
            new AppendOutcome.Stored(new ChunkIndex(stored), new ChunkIndex(stored + 1), 1, 0, stored + 1),
            await larger.AppendAsync(stream, Batch("p", 0, stored, chunk)));
    }

    private static async Task AssertAllSawAsync(Producers producers, List<Task<List<string>>> followers)
    {
        var log = await producers.FinishAsync();
        foreach (var follower in followers) Assert.Equal(log, await follower.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System));
    }

    private sealed class Nodes(LogNode[] all) : IAsyncDisposable
    {
        private readonly List<IStreamTail> tails = [];

        public LogNode[] All { get; } = all;

        public static async Task<Nodes> StartAsync(IEnumerable<string> urls)
        {
            var all = new List<LogNode>();
            foreach (var url in urls) all.Add(await LogNode.StartAsync(url));
            return new Nodes([.. all]);
        }

        /// <summary>Two readers on every node.</summary>
        public async Task<List<Task<List<string>>>> FollowAsync(StreamAddress stream)
        {
            var followers = new List<Task<List<string>>>();
            foreach (var node in All.Concat(All))
            {
                var tail = await node.Log.OpenTailAsync(stream, None);
                tails.Add(tail);
                followers.Add(Follower.FollowAsync(tail, node, stream));
            }
            return followers;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var tail in tails) await tail.DisposeAsync();
            foreach (var node in All) await node.DisposeAsync();
        }
    }
}
