using System.Globalization;
using RealtimeStreams.Protocol;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class TwoNodesTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    [Fact]
    public async Task Two_nodes_that_write_one_stream_keep_every_chunk_once_and_each_producers_order()
    {
        const int Producers = 4, Chunks = 250;
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);

        async Task WriteAsync(LogNode node, int producer)
        {
            for (var i = 0; i < Chunks; i++)
            {
                var chunk = string.Create(CultureInfo.InvariantCulture, $"{producer}:{i}");
                var outcome = await node.AppendAsync(stream, Batch($"p{producer}", 0, i, chunk));
                var stored = Assert.IsType<AppendOutcome.Stored>(outcome);
                Assert.Equal((1, 0), (stored.Added, stored.Duplicates));
            }
        }
        await Task.WhenAll(Enumerable.Range(0, Producers).Select(producer => WriteAsync(producer % 2 == 0 ? fixture.Node : other, producer)));

        var all = await fixture.Node.ReadAllAsync(stream);
        Assert.Equal(Producers * Chunks, all.Count);
        foreach (var producer in Enumerable.Range(0, Producers))
            Assert.Equal(
                Enumerable.Range(0, Chunks).Select(i => $"{producer}:{i}"),
                all.Where(chunk => chunk.StartsWith($"{producer}:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_contended_stream_is_closed_and_refused_the_same_way_on_both_nodes()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        LogNode[] nodes = [fixture.Node, other];
        // Alternating writers conflict at every turn, so that soon one of them hands over.
        for (var i = 0; i < 20; i++)
            Assert.Equal(new ChunkIndex(i), Assert.IsType<AppendOutcome.Stored>(await nodes[i % 2].AppendAsync(stream, $"{i}")).First);
        foreach (var node in nodes)
        {
            var gap = Assert.IsType<AppendOutcome.Refused>(await node.AppendAsync(stream, Batch("late", 0, 7, "x")));
            Assert.Equal((ErrorCode.SequenceGap, 0L), (gap.Refusal.Code, gap.ExpectedSequence));
        }
        Assert.Equal(new CloseOutcome.Closed(new ChunkIndex(20), Outcome.Completed, false), await nodes[0].CloseAsync(stream, Outcome.Completed));
        Assert.Equal(new CloseOutcome.Closed(new ChunkIndex(20), Outcome.Completed, true), await nodes[1].CloseAsync(stream, Outcome.Completed));
    }
}
