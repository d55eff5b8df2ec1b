using CsCheck;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.ChunkLog.Tests.Histories;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class AppendTests(BrokerFixture fixture, ITestOutputHelper output) : IClassFixture<BrokerFixture>
{
    private LogNode Node => fixture.Node;

    [Fact]
    public async Task Any_history_written_through_two_nodes_in_turn_is_what_the_model_says()
    {
        // A broker of their own: what they hand over when they meet too often could go to another test's node, whose clock is days away.
        await using var broker = await TestBroker.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero).AddTicks(1_234));
        await using var one = await LogNode.StartAsync(broker.Url, clock: clock);
        await using var other = await LogNode.StartAsync(broker.Url, clock: clock);
        await AnyHistory.OfFewProducers.SampleAsync(
            history => PlayAsync(history, clock, one, other), output.WriteLine, iter: 40 * Sweep.Rounds, threads: 1);
    }

    [Fact]
    public async Task An_idempotency_key_is_new_again_after_ten_minutes_on_the_node_that_took_it_and_on_another()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
        await using var one = await LogNode.StartAsync(fixture.Broker.Url, clock: clock);
        await using var other = await LogNode.StartAsync(fixture.Broker.Url, clock: clock);
        var stream = NewStream();
        await PassAsync(clock, one.AppendAsync(stream, Keyed("k", "first")));
        clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        Assert.Equal(Duplicate(0), await PassAsync(clock, one.AppendAsync(stream, Keyed("k", "again"))));
        Assert.Equal(Duplicate(0), await PassAsync(clock, other.AppendAsync(stream, Keyed("k", "again"))));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(New(1), await PassAsync(clock, other.AppendAsync(stream, Keyed("k", "anew"))));
        Assert.Equal(Duplicate(1), await PassAsync(clock, one.AppendAsync(stream, Keyed("k", "again"))));
        clock.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        Assert.Equal(New(2), await PassAsync(clock, one.AppendAsync(stream, Keyed("k", "once more"))));
        Assert.Equal(["first", "anew", "once more"], await one.ReadAllAsync(stream));

        static AppendOutcome New(long index) => new AppendOutcome.Stored(new ChunkIndex(index), new ChunkIndex(index + 1), 1, 0, null);
        static AppendOutcome Duplicate(long index) => new AppendOutcome.Stored(new ChunkIndex(index), new ChunkIndex(index + 1), 0, 1, null);
    }

    [Fact]
    public async Task What_one_sender_hands_over_without_waiting_stays_in_its_order_also_when_the_queue_is_full()
    {
        const int Batches = 200;
        var stream = NewStream();
        // 200 batches of 9 to 41 KiB: several times what the queue takes, and small ones could slip past large ones that wait.
        var appends = Enumerable.Range(0, Batches)
            .Select(n => Node.AppendAsync(stream, Batch("p", 0, n, $"{n:D4}" + new string('x', (9 + (n % 5 * 8)) * 1024)))).ToList();
        var outcomes = await Task.WhenAll(appends);
        for (var n = 0; n < Batches; n++)
            Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(n), new ChunkIndex(n + 1), 1, 0, n + 1), outcomes[n]);
        Assert.Equal(Enumerable.Range(0, Batches).Select(n => $"{n:D4}"), (await Node.ReadAllAsync(stream)).Select(chunk => chunk[..4]));
    }

    [Fact]
    public async Task A_batch_that_the_broker_would_not_take_is_refused_here()
    {
        var stream = NewStream();
        var half = new string('x', (Node.Log.MaxChunkBytes / 2) + 1);
        var refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, half, half));
        Assert.Equal(ErrorCode.ChunkTooLarge, refused.Refusal.Code);
        Assert.Equal(ErrorCode.ChunkTooLarge, Assert.IsType<CloseOutcome.Refused>(
            await Node.CloseAsync(stream, Outcome.Completed, Batch(null, 0, 0, half, half))).Refusal.Code);
        Assert.Null(await Node.Log.FindAsync(stream, CancellationToken.None));
    }

    [Fact]
    public async Task Numbers_and_keys_that_no_producer_can_have_are_the_callers_fault()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => Node.AppendAsync(NewStream(), Batch("p", 0, -1, "1")));
        await Assert.ThrowsAsync<ArgumentException>(() => Node.AppendAsync(NewStream(), Keyed(new string('k', ChunkBatch.MaxKeyBytes + 1), "1")));
        await Assert.ThrowsAsync<ArgumentException>(() => Node.AppendAsync(NewStream()));
    }

    [Fact]
    public async Task A_producer_that_comes_back_through_another_node_continues_there()
    {
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 0, 0, "1"));
        await other.AppendAsync(stream, Batch("p", 0, 1, "2")); // Both nodes have a head now, and each goes stale in turn.
        for (var n = 2; n < 8; n++)
            Assert.IsType<AppendOutcome.Stored>(await (n / 2 % 2 == 0 ? Node : other).AppendAsync(stream, Batch("p", 0, n, $"{n + 1}")));
        Assert.IsType<AppendOutcome.Stored>(await Node.AppendAsync(stream, Batch("p", 1, 0, "a")));
        Assert.IsType<AppendOutcome.Stored>(await other.AppendAsync(stream, Batch("p", 1, 1, "b")));
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8", "a", "b"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task An_erased_streams_producers_and_keys_are_forgotten_by_the_nodes_that_wrote_it()
    {
        var stream = NewStream();
        await Node.AppendAsync(stream, Batch("p", 0, 0, "1", "2"));
        await Node.AppendAsync(stream, Keyed("k", "3"));
        await Node.Log.EraseAsync(stream.Environment, stream.Run, TestContext.Current.CancellationToken);
        Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(0), new ChunkIndex(1), 1, 0, 1), await Node.AppendAsync(stream, Batch("p", 0, 0, "1")));
        Assert.Equal(new AppendOutcome.Stored(new ChunkIndex(1), new ChunkIndex(2), 1, 0, null), await Node.AppendAsync(stream, Keyed("k", "2")));
        Assert.Equal(["1", "2"], await Node.ReadAllAsync(stream));
    }

    [Fact]
    public async Task A_log_that_has_stopped_refuses_at_once()
    {
        var node = await LogNode.StartAsync(fixture.Broker.Url);
        var stream = NewStream();
        await node.AppendAsync(stream, "1");
        await node.StopAsync();
        var append = Task.Run(() => node.AppendAsync(stream, "2"), TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.ShuttingDown, Assert.IsType<AppendOutcome.Refused>(await append.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken)).Refusal.Code);
        await node.DisposeAsync();
    }

    [Fact]
    public async Task A_repeat_is_acknowledged_only_once_what_it_repeats_is_stored()
    {
        const string PublishLink = "realtimestreams-publish";
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero)); // No acknowledgement comes too late.
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await LogNode.StartAsync(proxy.Url, clock: clock);
        var stream = NewStream();
        await node.AppendAsync(stream, "0");

        // The first record waits for its acknowledgement; the next holds a batch and its repeats.
        proxy.Hold(PublishLink);
        var first = node.AppendAsync(stream, "1");
        Task<AppendOutcome>[] next =
        [
            node.AppendAsync(stream, Keyed("k", "2")), node.AppendAsync(stream, Keyed("k", "2")),
            node.AppendAsync(stream, Batch("p", 0, 0, "3")), node.AppendAsync(stream, Batch("p", 0, 0, "3")),
        ];
        await Until.TrueAsync(() => "The first record was not acknowledged.", () => proxy.Held(PublishLink) > 0);
        proxy.ReleaseHeld(PublishLink);
        await first;
        await Until.TrueAsync(() => "The next record was not acknowledged.", () => proxy.Held(PublishLink) > 0);
        Assert.DoesNotContain(next, append => append.IsCompleted);
        proxy.Release(PublishLink);
        Assert.Equal([1, 0, 1, 0], (await Task.WhenAll(next)).Select(outcome => Assert.IsType<AppendOutcome.Stored>(outcome).Added));
        Assert.Equal(["0", "1", "2", "3"], await node.ReadAllAsync(stream));
    }

    private static async Task PlayAsync(History history, FakeTimeProvider clock, LogNode one, LogNode other)
    {
        var stream = NewStream(history.Address is null ? "short" : new string('k', 200));
        // A key that was given up is forgotten by nodes that have not heard of it yet, and what was given up makes room; when is not the model's to say.
        if (history.Steps.Any(step => step.Special?.Trim is not null))
            history = history with { Steps = [.. history.Steps.Select(step => step with { Key = -1 })], Limits = history.Limits with { MaxBytes = long.MaxValue } };
        var model = new StreamModel(history.Limits);
        var turn = 0;
        foreach (var step in history.Steps)
        {
            clock.Advance(TimeSpan.FromMinutes(step.Minutes));
            var node = turn++ % 3 == 0 ? one : other;
            // An end with last chunks, in half of the cases.
            var batch = step.End is null || step.NewRecord ? model.BatchOf(step) : null;
            var appended = batch is null ? null : model.Append(step, clock.GetUtcNow(), anythingStored: model.Chunks.Count > 0 || model.End is not null);
            var expected = step.End is { } end && appended?.StartsWith("refused", StringComparison.Ordinal) != true ? model.Close(end) : appended!;
            // The outcome of a close does not say which sequence was expected.
            if (step.End is not null && expected.StartsWith("refused", StringComparison.Ordinal)) expected = expected[..expected.LastIndexOf(' ')];
            var actual = step.End is { } outcome
                ? StreamModel.Describe(await PassAsync(clock, node.Log.CloseAsync(stream, outcome, batch, history.Limits, TestContext.Current.CancellationToken)))
                : StreamModel.Describe(await PassAsync(clock, node.AppendAsync(stream, batch!, history.Limits)));
            // A node that has not heard of a newer epoch, or of what the producer sent since, still knows that an old batch is stored. That is no error.
            if (actual.Contains(", 0 new", StringComparison.Ordinal)) Assert.True(expected.Contains(", 0 new", StringComparison.Ordinal) || expected.Contains(ErrorCode.Fenced.Code, StringComparison.Ordinal), $"Expected {expected}, not {actual}.");
            else Assert.Equal(expected.TrimEnd(), actual.TrimEnd());
        }
        Assert.Equal(
            model.Chunks.Skip((int)model.TrimPoint).Select(chunk => System.Text.Encoding.UTF8.GetString(chunk.Bytes)),
            await one.ReadAllAsync(stream, model.TrimPoint));
        if (await PassAsync(clock, other.Log.FindAsync(stream, TestContext.Current.CancellationToken)) is not { } summary)
        {
            Assert.Empty(model.Chunks);
            Assert.Null(model.End);
            return;
        }
        Assert.Equal((model.TrimPoint, (long)model.Chunks.Count, model.Bytes, model.End), (summary.FirstIndex.Value, summary.NextIndex.Value, summary.Bytes, summary.End));
        Assert.Equal(model.LastTimestamp, summary.LastTimestamp);
        await FindsTimesAsync(stream, model, clock, other);
        Assert.Equal(model.Producers, summary.Producers);
    }

    /// <summary>Every time between chunks, and at them, has the first chunk that is not before it.</summary>
    private static async Task FindsTimesAsync(StreamAddress stream, StreamModel model, FakeTimeProvider clock, LogNode node)
    {
        foreach (var time in model.Chunks.Select(chunk => chunk.Timestamp).Distinct().SelectMany(time => (long[])[time, time + 1]).Where((_, i) => i % 5 < 2))
        {
            var expected = model.Chunks.FindIndex((int)model.TrimPoint, chunk => chunk.Timestamp >= time);
            var found = await PassAsync(clock, node.Log.FindByTimestampAsync(stream, time, TestContext.Current.CancellationToken));
            Assert.Equal(expected < 0 ? null : expected, found?.Value);
        }
    }

    private static ChunkBatch Keyed(string key, string chunk)
    {
        var batch = new ChunkBatch { IdempotencyKey = key };
        batch.Add(System.Text.Encoding.UTF8.GetBytes(chunk));
        return batch;
    }

    /// <summary>Lets the clock's milliseconds pass while a task needs them, as for the pause after a conflict.</summary>
    private static async Task<T> PassAsync<T>(FakeTimeProvider clock, Task<T> task)
    {
        await Until.TrueAsync(
            () => "The log did not answer.",
            () =>
            {
                if (!task.IsCompleted) clock.Advance(TimeSpan.FromMilliseconds(1));
                return task.IsCompleted;
            });
        return await task;
    }
}
