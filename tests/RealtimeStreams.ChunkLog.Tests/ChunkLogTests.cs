using RealtimeStreams.Protocol;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class ChunkLogTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    private LogNode Node => fixture.Node;

    [Fact]
    public async Task Chunks_get_dense_indexes_in_the_order_of_their_acknowledgements()
    {
        var stream = NewStream();
        Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(0), new ChunkIndex(1), 1, 0, null), await Node.AppendAsync(stream, "1"));
        Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(1), new ChunkIndex(3), 2, 0, null), await Node.AppendAsync(stream, "2", "3"));
        Assert.Equal(["1", "2", "3"], await Node.ReadAllAsync(stream));
        Assert.Equal(["3"], await Node.ReadAllAsync(stream, from: 2));
    }

    [Fact]
    public async Task A_producers_retry_is_recognised_whole_in_part_and_from_another_node()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        await Node.AppendAsync(stream, Batch("p", 0, 0, "1", "2"));

        Assert.Equal(new AppendOutcome.Stored(null, new ChunkIndex(2), 0, 2, 2), await other.AppendAsync(stream, Batch("p", 0, 0, "1", "2")));
        Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(2), new ChunkIndex(3), 1, 1, 3), await other.AppendAsync(stream, Batch("p", 0, 1, "2", "3")));
        Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(2), new ChunkIndex(3), 0, 1, 3), await Node.AppendAsync(stream, Batch("p", 0, 2, "3")));
        Assert.Equal(["1", "2", "3"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_gap_in_a_producers_sequence_is_refused_with_the_expected_number()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 0, 0, "1"));
        var refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch("p", 0, 2, "3")));
        Assert.Equal((ErrorCode.SequenceGap, 1L), (refused.Refusal.Code, refused.ExpectedSequence));
        refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch("q", 0, 5, "x")));
        Assert.Equal(ErrorCode.SequenceGap, refused.Refusal.Code);
        refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(NewStream(), Batch("q", 0, 5, "x")));
        Assert.Equal(ErrorCode.StreamGone, refused.Refusal.Code);
        Assert.Equal(["1"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_newer_epoch_starts_at_zero_and_fences_the_older_one()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 1, 0, "1", "2"));
        Assert.IsType<AppendOutcome.Stored>(await Node.AppendAsync(stream, Batch("p", 2, 0, "a")));
        var refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch("p", 1, 2, "3")));
        Assert.Equal(ErrorCode.Fenced, refused.Refusal.Code);
        Assert.Equal(["1", "2", "a"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task An_idempotency_key_gives_the_first_answer_again_also_on_another_node()
    {
        var stream = NewStream();
        ChunkBatch Keyed(string key, string chunk)
        {
            var batch = new ChunkBatch { IdempotencyKey = key };
            batch.Add(System.Text.Encoding.UTF8.GetBytes(chunk));
            return batch;
        }
        await Node.AppendAsync(stream, Keyed("a", "1"));
        await Node.AppendAsync(stream, "2");
        await Node.AppendAsync(stream, Keyed("b", "3"));
        await Node.AppendAsync(stream, "4");

        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        foreach (var node in new[] { Node, other })
        {
            Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(0), new ChunkIndex(1), 0, 1, null), await node.AppendAsync(stream, Keyed("a", "1")));
            Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(2), new ChunkIndex(3), 0, 1, null), await node.AppendAsync(stream, Keyed("b", "3")));
        }
        Assert.Equal(["1", "2", "3", "4"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_closed_stream_refuses_appends_but_answers_duplicates_and_the_same_close()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 0, 0, "1"));
        Assert.Equal(new CloseOutcome.Closed(new ChunkIndex(2), Outcome.Failed, false), await Node.CloseAsync(stream, Outcome.Failed, Batch("p", 0, 1, "2")));
        Assert.Equal(new CloseOutcome.Closed(new ChunkIndex(2), Outcome.Failed, true), await Node.CloseAsync(stream, Outcome.Failed));
        Assert.Equal(new CloseOutcome.Closed(new ChunkIndex(2), Outcome.Failed, true), await Node.CloseAsync(stream, Outcome.Failed, Batch("p", 0, 1, "2")));
        Assert.Equal(ErrorCode.StreamClosed, Assert.IsType<CloseOutcome.Refused>(await Node.CloseAsync(stream, Outcome.Completed)).Refusal.Code);
        Assert.Equal(ErrorCode.StreamClosed, Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, "3")).Refusal.Code);
        Assert.IsType<AppendOutcome.Stored>(await Node.AppendAsync(stream, Batch("p", 0, 0, "1", "2")));
        Assert.Equal(["1", "2"], await Node.ReadAllAsync(stream));
        var summary = await Node.Log.FindAsync(stream, None);
        Assert.Equal((0L, 2L, 2L, (Outcome?)Outcome.Failed), (summary!.FirstIndex.Value, summary.NextIndex.Value, summary.Bytes, summary.End));
    }

    [Fact]
    public async Task An_empty_stream_can_be_closed()
    {
        var stream = NewStream();
        Assert.Equal(new CloseOutcome.Closed(default, Outcome.Completed, false), await Node.CloseAsync(stream, Outcome.Completed));
        await using var tail = await Node.Log.OpenTailAsync(stream, None);
        Assert.Equal(Outcome.Completed, tail.End);
    }

    [Fact]
    public async Task A_limit_refuses_the_whole_batch_and_stores_nothing()
    {
        var stream = NewStream();
        var limits = new StreamLimits(MaxBytes: 10, MaxChunks: 4);
        await Node.AppendAsync(stream, Batch(null, 0, 0, "12345"), limits);
        Assert.Equal(ErrorCode.StreamFull, Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch(null, 0, 0, "123", "456"), limits)).Refusal.Code);
        Assert.Equal(ErrorCode.LimitReached, Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch(null, 0, 0, "1", "2", "3", "4"), limits)).Refusal.Code);
        await Node.AppendAsync(stream, Batch(null, 0, 0, "67890"), limits);
        Assert.Equal(["12345", "67890"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task What_is_left_to_the_run_refuses_what_is_new_and_knows_what_was_stored_and_the_stream_can_still_end()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 0, 0, "12345"), new StreamLimits(1000, 1000, 5, 100));
        var limits = new StreamLimits(1000, 1000, 4, 100);

        var refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch("p", 0, 1, "67890"), limits)).Refusal;

        Assert.Equal(new Refusal(ErrorCode.LimitReached, "The run has stored 96 bytes; with 5 more it would exceed its limit of 100 bytes."), refused);
        Assert.Equal((0, 1), Counts(await Node.AppendAsync(stream, Batch("p", 0, 0, "12345"), limits)));
        Assert.Equal((1, 0), Counts(await Node.AppendAsync(stream, Batch("p", 0, 1, "6789"), limits)));
        var none = new StreamLimits(1000, 1000, -7, 100);
        Assert.Equal(ErrorCode.LimitReached, Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch("p", 0, 2, "1"), none)).Refusal.Code);
        Assert.IsType<CloseOutcome.Closed>(await Node.Log.CloseAsync(stream, Outcome.Completed, null, none, None));
        Assert.Equal(["12345", "6789"], await Node.ReadAllAsync(stream));

        static (int Added, int Duplicates) Counts(AppendOutcome outcome) => outcome is AppendOutcome.Stored stored ? (stored.Added, stored.Duplicates) : default;
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("a/b c*>")]
    [InlineData("ключ-مفتاح-键")]
    [InlineData("~h")]
    [InlineData("A very long key that is hashed on the broker, because its bytes do not fit into a token of a subject: 0123456789 0123456789 0123456789")]
    public async Task Any_key_makes_a_stream_of_its_own(string key)
    {
        var stream = NewStream(key);
        await Node.AppendAsync(stream, "1");
        await Node.AppendAsync(stream with { Key = StreamKey.Parse(key + "x") }, "2");
        Assert.Equal(["1"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_tail_knows_what_was_there_and_gets_what_comes()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, "1");
        await using var tail = await Node.Log.OpenTailAsync(stream, None);
        Assert.Equal(1, tail.NextIndex.Value);
        var wait = tail.WaitAsync(new ChunkIndex(1), TimeSpan.FromMinutes(1), None).AsTask();
        await Node.AppendAsync(stream, "2");
        Assert.True(await wait);
        Assert.Equal("2"u8.ToArray(), tail.Find(new ChunkIndex(1))!.Chunk(0).ToArray());
        wait = tail.WaitAsync(new ChunkIndex(2), TimeSpan.FromMinutes(1), None).AsTask();
        await Node.CloseAsync(stream, Outcome.Cancelled);
        Assert.True(await wait);
        Assert.Equal(Outcome.Cancelled, tail.End);
    }

    [Fact]
    public async Task A_wait_ends_by_its_time_and_by_its_token()
    {
        await using var tail = await Node.Log.OpenTailAsync(NewStream(), None);
        Assert.False(await tail.WaitAsync(ChunkIndex.Zero, TimeSpan.FromMilliseconds(1), None));
        using var cancel = new CancellationTokenSource();
        var wait = tail.WaitAsync(ChunkIndex.Zero, TimeSpan.FromMinutes(1), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    [Fact]
    public async Task An_erased_stream_is_gone_for_readers_and_for_its_writers()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 0, 0, "1"));
        await using var tail = await Node.Log.OpenTailAsync(stream, None);
        var wait = tail.WaitAsync(new ChunkIndex(1), TimeSpan.FromMinutes(1), None).AsTask();
        await Node.Log.EraseAsync(stream.Environment, stream.Run, None);
        Assert.True(await wait);
        Assert.True(tail.Erased);
        Assert.Equal(ErrorCode.StreamGone, Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch("p", 0, 1, "2"))).Refusal.Code);
        Assert.Null(await Node.Log.FindAsync(stream, None));
        Assert.Empty(await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task Readers_on_another_node_learn_of_an_erasure_without_waiting_for_their_check()
    {
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        await Node.AppendAsync(stream, "1");
        await using var tail = await other.Log.OpenTailAsync(stream, None);
        var wait = tail.WaitAsync(new ChunkIndex(1), TimeSpan.FromMinutes(1), None).AsTask();
        await Node.Log.EraseAsync(stream.Environment, stream.Run, None);
        Assert.True(await wait);
        Assert.True(tail.Erased);
    }

    [Fact]
    public async Task A_message_reaches_all_nodes()
    {
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        var here = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var there = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var first = Node.Messages.Subscribe("test", here.SetResult);
        using var second = other.Messages.Subscribe("test", there.SetResult);
        await other.Messages.PublishAsync("test", "hello", None);
        Assert.Equal(["hello", "hello"], await Task.WhenAll(here.Task, there.Task).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Any_index_of_a_long_stream_among_others_is_found()
    {
        var stream = NewStream();
        var other = stream with { Key = StreamKey.Parse("other") };
        var random = new Random(4711);
        for (var i = 0; i < 300;)
        {
            var chunks = Enumerable.Range(i, random.Next(1, 5)).Select(n => $"{n}").ToArray();
            await Node.AppendAsync(stream, chunks);
            i += chunks.Length;
            for (var n = random.Next(0, 4); n > 0; n--) await Node.AppendAsync(other, "0");
        }
        for (var i = 0; i < 300; i += 7)
        {
            var records = await Node.Log.ReadStoredAsync(stream, new ChunkIndex(i), null, None);
            var record = records[0];
            Assert.InRange(i, record.FirstIndex.Value, record.NextIndex.Value - 1);
            Assert.Equal($"{i}", System.Text.Encoding.UTF8.GetString(record.Chunk((int)(i - record.FirstIndex.Value)).Span));
        }
        Assert.Empty(await Node.Log.ReadStoredAsync(stream, new ChunkIndex(100_000), null, None));
    }

    [Fact]
    public async Task A_chunk_of_one_mebibyte_goes_through_alone()
    {
        var stream = NewStream();
        var chunk = new string('x', Node.Log.MaxChunkBytes);
        await Node.AppendAsync(stream, chunk);
        await Node.AppendAsync(stream, "1");
        Assert.Equal([chunk, "1"], await Node.ReadAllAsync(stream));
    }
}
