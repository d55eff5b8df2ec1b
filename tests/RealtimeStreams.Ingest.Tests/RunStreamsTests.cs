using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

public sealed class RunStreamsTests
{
    [Fact]
    public async Task A_run_that_ends_ends_its_open_streams_and_leaves_the_others()
    {
        var node = new IngestNode();
        node.Registry.Rows.AddRange([Row("a", null), Row("b", Outcome.Failed), Row("c", null)]);

        await node.Observer.OnCompletedAsync(
            IngestNode.Stream.Environment, IngestNode.Stream.Run, Outcome.Cancelled, TestContext.Current.CancellationToken);

        Assert.Equal(["a", "c"], node.Log.Closed.Select(closed => closed.Key.Value).Order());
        Assert.All(node.Log.Closed, closed => Assert.Equal((Outcome.Cancelled, null), (closed.Outcome, closed.Last)));
        Assert.Equal(["a", "c"], node.Registry.Marked.Select(marked => marked.Key.Value).Order());
    }

    [Theory]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(1201)]
    public async Task Of_a_run_with_many_streams_all_end(int count)
    {
        var node = new IngestNode();
        node.Registry.Rows.AddRange(Enumerable.Range(0, count).Select(i => Row($"key{i}", null)));

        await node.Observer.OnCompletedAsync(
            IngestNode.Stream.Environment, IngestNode.Stream.Run, Outcome.Completed, TestContext.Current.CancellationToken);

        Assert.Equal(count, node.Log.Closed.Count);
        Assert.Equal(count, node.Log.Closed.DistinctBy(closed => closed.Key).Count());
    }

    [Fact]
    public async Task Of_a_run_that_is_erased_while_its_streams_are_being_ended_no_more_are_touched_soon()
    {
        var node = new IngestNode();
        node.Registry.Rows.AddRange(Enumerable.Range(0, 1201).Select(i => Row($"key{i}", null)));
        node.Log.AnswerClose = (_, _) =>
        {
            if (node.Log.Closed.Count == 500) node.Registry.Rows.Clear(); // The page is through.
            return null;
        };

        await node.Observer.OnCompletedAsync(
            IngestNode.Stream.Environment, IngestNode.Stream.Run, Outcome.Completed, TestContext.Current.CancellationToken);

        Assert.Equal(500, node.Log.Closed.Count);
    }

    [Fact]
    public async Task A_stream_that_its_writer_ended_otherwise_keeps_its_own_outcome()
    {
        var node = new IngestNode();
        node.Registry.Rows.Add(Row("a", null));
        node.Log.AnswerClose = (_, _) => new CloseOutcome.Refused(new Refusal(ErrorCode.StreamClosed, "closed"));
        node.Log.Summary = new StreamSummary(default, default, 0, Outcome.Failed, [], default, default);

        await node.Observer.OnCompletedAsync(
            IngestNode.Stream.Environment, IngestNode.Stream.Run, Outcome.Completed, TestContext.Current.CancellationToken);

        Assert.Equal([(StreamKey.Parse("a"), Outcome.Failed)], node.Registry.Marked);
    }

    [Fact]
    public async Task A_stream_that_cannot_be_ended_now_fails_the_call_so_that_it_is_repeated()
    {
        var node = new IngestNode();
        node.Registry.Rows.Add(Row("a", null));
        node.Log.AnswerClose = (_, _) => new CloseOutcome.Refused(new Refusal(ErrorCode.LogUnavailable, "away"));

        await Assert.ThrowsAsync<LogUnavailableException>(() => node.Observer.OnCompletedAsync(
            IngestNode.Stream.Environment, IngestNode.Stream.Run, Outcome.Completed, TestContext.Current.CancellationToken));

        Assert.Empty(node.Registry.Marked);
    }

    [Fact]
    public async Task A_run_that_is_erased_is_erased_from_the_log()
    {
        var node = new IngestNode();

        await node.Observer.OnErasingAsync(IngestNode.Stream.Environment, IngestNode.Stream.Run, TestContext.Current.CancellationToken);

        Assert.Equal([IngestNode.Stream.Run], node.Log.Erased);
    }

    private static StreamRow Row(string key, Outcome? outcome) => new(StreamKey.Parse(key), default, outcome, null);
}
