using System.Text;
using RealtimeStreams.Protocol;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>Appends that expect something of their stream.</summary>
public sealed class ConditionTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private LogNode Node => fixture.Node;

    [Fact]
    public async Task Of_appends_that_expect_the_same_index_on_two_nodes_exactly_one_is_stored()
    {
        const int Rounds = 40;
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        for (var index = 0; index < Rounds; index++)
        {
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => AppendAsync(i % 2 == 0 ? Node : other, stream, $"{index}", batch => batch.ExpectedIndex = index)));
            Assert.Equal(new ChunkIndex(index), Assert.Single(outcomes.OfType<AppendOutcome.Stored>()).First);
            Assert.All(
                outcomes.OfType<AppendOutcome.Refused>(),
                refused => Assert.Equal((ErrorCode.IndexMismatch, index + 1L), (refused.Refusal.Code, refused.ExpectedIndex)));
        }
        Assert.Equal(Enumerable.Range(0, Rounds).Select(index => $"{index}"), await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_fencing_token_set_on_one_node_is_known_on_the_other_and_by_one_that_starts_later()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        Assert.IsType<AppendOutcome.Stored>(await AppendAsync(other, stream, "0")); // Now it has a head, which goes stale.
        Assert.IsType<AppendOutcome.Stored>(await AppendAsync(Node, stream, "1", batch => (batch.FencingToken, batch.NewFencingToken) = ("", "alice")));
        foreach (var node in (LogNode[])[other, Node])
        {
            var refused = Assert.IsType<AppendOutcome.Refused>(await AppendAsync(node, stream, "x", batch => batch.FencingToken = ""));
            Assert.Equal((ErrorCode.FencingTokenMismatch, "alice"), (refused.Refusal.Code, refused.ExpectedFencingToken));
        }
        Assert.IsType<AppendOutcome.Stored>(await AppendAsync(other, stream, "2", batch => batch.FencingToken = "alice"));
        Assert.IsType<AppendOutcome.Stored>(await AppendAsync(Node, stream, "3")); // Fencing is cooperative.
        await using var late = await LogNode.StartAsync(fixture.Broker.Url);
        Assert.Equal("alice", Assert.IsType<AppendOutcome.Refused>(await AppendAsync(late, stream, "x", batch => batch.FencingToken = "bob")).ExpectedFencingToken);
        Assert.IsType<AppendOutcome.Stored>(await AppendAsync(late, stream, "4", batch => (batch.FencingToken, batch.NewFencingToken) = ("alice", "")));
        Assert.Equal(["0", "1", "2", "3", "4"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task The_token_is_looked_at_before_the_index_and_a_repeat_of_what_is_stored_before_both()
    {
        var stream = NewStream();
        await AppendAsync(Node, stream, "0", batch => (batch.IdempotencyKey, batch.FencingToken, batch.ExpectedIndex) = ("k", "", 0));
        Assert.Equal(
            ErrorCode.FencingTokenMismatch,
            Assert.IsType<AppendOutcome.Refused>(await AppendAsync(Node, stream, "1", batch => (batch.FencingToken, batch.ExpectedIndex) = ("x", 7))).Refusal.Code);
        var again = Assert.IsType<AppendOutcome.Stored>(
            await AppendAsync(Node, stream, "0", batch => (batch.IdempotencyKey, batch.FencingToken, batch.ExpectedIndex) = ("k", "", 0)));
        Assert.Equal((0L, 0, 1), (again.First?.Value, again.Added, again.Duplicates));
    }

    [Fact]
    public async Task A_node_that_writes_for_another_decides_conditions_and_keeps_forms_and_times()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        LogNode[] nodes = [Node, other];
        // Alternating writers conflict at every turn, so that soon one of them hands over.
        for (var i = 0; i < 20; i++) Assert.IsType<AppendOutcome.Stored>(await AppendAsync(nodes[i % 2], stream, $"{i}", batch => batch.ExpectedIndex = i));
        foreach (var node in nodes)
        {
            var wrong = Assert.IsType<AppendOutcome.Refused>(await AppendAsync(node, stream, "x", batch => batch.ExpectedIndex = 3));
            Assert.True(wrong.ExpectedIndex >= 20, $"The expected index is told as {wrong.ExpectedIndex}.");
            var batch = new ChunkBatch { UncappedTimestamps = true };
            batch.Add([0xFF], ChunkForm.Binary, timestamp: 9_000_000_000_000);
            var stored = Assert.IsType<AppendOutcome.Stored>(await node.Log.AppendAsync(stream, batch, NoLimits, TestContext.Current.CancellationToken));
            Assert.Equal((9_000_000_000_000, 9_000_000_000_000), (stored.FirstTimestamp, stored.LastTimestamp));
        }
        var last = (await Node.Log.ReadStoredAsync(stream, new ChunkIndex(21), null, TestContext.Current.CancellationToken))[^1];
        Assert.Equal((ChunkForm.Binary, 9_000_000_000_000), (last.FormOf(last.Count - 1), last.LastTimestamp));
    }

    [Fact]
    public async Task Tokens_and_trim_points_that_no_stream_can_have_are_the_callers_fault()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => AppendAsync(Node, NewStream(), "1", batch => batch.NewFencingToken = new string('x', 37)));
        await Assert.ThrowsAsync<ArgumentException>(() => AppendAsync(Node, NewStream(), "1", batch => batch.Trim = (-1, 0)));
        await Assert.ThrowsAsync<ArgumentException>(() => AppendAsync(Node, NewStream(), "1", batch => batch.Trim = (0, 1)));
    }

    [Fact]
    public async Task An_end_that_expects_an_index_is_refused_once_more_was_appended_and_else_stored_once()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        await Node.AppendAsync(stream, "0");
        await other.AppendAsync(stream, "1"); // What the first node does not know yet.

        var refused = Assert.IsType<CloseOutcome.Refused>(await AbandonAsync(Node, stream, 1));
        Assert.Equal(ErrorCode.IndexMismatch, refused.Refusal.Code);
        await Node.AppendAsync(stream, "2");

        var ends = await Task.WhenAll(AbandonAsync(Node, stream, 3), AbandonAsync(other, stream, 3));
        Assert.All(ends, end => Assert.Equal((3L, Outcome.Abandoned), (Closed(end).Next.Value, Closed(end).Outcome)));
        Assert.Single(ends, end => !Closed(end).AlreadyClosed);
        foreach (var node in (LogNode[])[Node, other])
        {
            var late = Assert.IsType<AppendOutcome.Refused>(await node.AppendAsync(stream, "x"));
            Assert.Equal(ErrorCode.StreamClosed, late.Refusal.Code);
            Assert.Contains("abandoned", late.Refusal.Detail, StringComparison.Ordinal);
        }
        Assert.Equal(["0", "1", "2"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task Of_an_append_and_an_end_that_expects_nothing_since_one_is_first_and_the_other_learns_it()
    {
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        for (var round = 0; round < 20; round++)
        {
            var stream = NewStream();
            await Node.AppendAsync(stream, "0");
            var (appending, closing) = (other.AppendAsync(stream, "1"), AbandonAsync(Node, stream, 1));

            var appended = await appending is AppendOutcome.Stored;
            Assert.Equal(appended, await closing is CloseOutcome.Refused { Refusal.Code: var code } && code == ErrorCode.IndexMismatch);
            Assert.Equal(appended ? null : Outcome.Abandoned, (await Node.Log.FindAsync(stream, TestContext.Current.CancellationToken))!.End);
        }
    }

    [Fact]
    public async Task An_end_with_a_condition_is_decided_by_the_node_that_writes_a_contended_stream()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        LogNode[] nodes = [Node, other];
        // Alternating writers conflict at every turn, so that soon one of them hands over.
        for (var i = 0; i < 20; i++) await nodes[i % 2].AppendAsync(stream, $"{i}");

        foreach (var node in nodes) Assert.Equal(ErrorCode.IndexMismatch, Assert.IsType<CloseOutcome.Refused>(await AbandonAsync(node, stream, 19)).Refusal.Code);
        foreach (var (node, again) in nodes.Zip((bool[])[false, true]))
            Assert.Equal(new CloseOutcome.Closed(new ChunkIndex(20), Outcome.Abandoned, again), await AbandonAsync(node, stream, 20));
    }

    [Fact]
    public async Task A_stream_without_a_chunk_ends_too_if_it_still_has_none()
    {
        var (empty, begun) = (NewStream(), NewStream());
        await Node.AppendAsync(begun, "0");

        Assert.Equal(new CloseOutcome.Closed(ChunkIndex.Zero, Outcome.Abandoned, false), await AbandonAsync(Node, empty, 0));
        Assert.IsType<CloseOutcome.Refused>(await AbandonAsync(Node, begun, 0));
    }

    private static CloseOutcome.Closed Closed(CloseOutcome outcome) => Assert.IsType<CloseOutcome.Closed>(outcome);

    private static Task<CloseOutcome> AbandonAsync(LogNode node, StreamAddress stream, long expected) =>
        node.CloseAsync(stream, Outcome.Abandoned, new ChunkBatch(1) { ExpectedIndex = expected });

    private static Task<AppendOutcome> AppendAsync(LogNode node, StreamAddress stream, string chunk, Action<ChunkBatch>? with = null)
    {
        var batch = new ChunkBatch();
        batch.Add(Encoding.UTF8.GetBytes(chunk));
        with?.Invoke(batch);
        return node.AppendAsync(stream, batch);
    }
}
