using Microsoft.Extensions.Time.Testing;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>Two nodes on one broker, on a clock that the test moves.</summary>
public sealed class ExpiryTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));
    private TestBroker broker = null!;
    private LogNode one = null!;
    private LogNode other = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        one = await LogNode.StartAsync(broker.Url, clock: clock);
        other = await LogNode.StartAsync(broker.Url, clock: clock);
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await other.DisposeAsync();
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task What_is_older_is_gone_from_the_same_index_on_for_everybody_and_from_the_disk()
    {
        var stream = await NewStreamOfAsync(records: 10, chunks: 3); // A record a minute.
        await using var tail = await other.Log.OpenTailAsync(stream, None);
        await other.AppendAsync(stream, "30");
        await Until.TrueAsync(() => "The other node's tail did not learn of the record.", () => tail.NextIndex.Value == 31);

        var left = await one.Log.ExpireAsync(stream, clock.GetUtcNow() - TimeSpan.FromMinutes(4), None);

        Assert.Equal(new StreamExpiry(new(18), new(31), clock.GetUtcNow() - TimeSpan.FromMinutes(4), null, Expired: 18), left);
        await Until.TrueAsync(() => "The other node's tail did not learn what expired.", () => tail.FirstIndex.Value == 18);
        Assert.Null(tail.Find(new ChunkIndex(17)));
        foreach (var node in (LogNode[])[one, other])
        {
            var summary = await node.Log.FindAsync(stream, None);
            Assert.Equal((18, 31), (summary!.FirstIndex.Value, summary.NextIndex.Value));
            Assert.Equal(clock.GetUtcNow() - TimeSpan.FromMinutes(4), summary.FirstAppendAt);
            Assert.Equal(18, (await node.Log.ReadStoredAsync(stream, ChunkIndex.Zero, null, None))[0].FirstIndex.Value);
            Assert.Equal(Enumerable.Range(18, 13).Select(i => $"{i}"), await node.ReadAllAsync(stream, 18));
        }
        Assert.Equal(6, await CountAsync(stream)); // Four of ten, that of the other node, and the one that tells what expired.
    }

    [Fact]
    public async Task Asked_again_it_stores_and_removes_nothing()
    {
        var stream = await NewStreamOfAsync(records: 3, chunks: 1);
        var cutOff = clock.GetUtcNow() - TimeSpan.FromMinutes(1);
        var first = await one.Log.ExpireAsync(stream, cutOff, None);
        var records = await CountAsync(stream);

        Assert.Equal(2, first!.Expired);
        first = first with { Expired = 0 };
        Assert.Equal(first, await other.Log.ExpireAsync(stream, cutOff, None));
        Assert.Equal(first, await one.Log.ExpireAsync(stream, cutOff - TimeSpan.FromDays(1), None));
        Assert.Equal(records, await CountAsync(stream));
        Assert.Null(await one.Log.ExpireAsync(NewStream(), cutOff, None));
    }

    [Fact]
    public async Task A_stream_of_which_everything_expired_goes_on_at_its_index_and_knows_its_producers()
    {
        var stream = NewStream();
        await one.AppendAsync(stream, Batch("p", 3, 0, "0", "1", "2"));
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(new StreamExpiry(new(3), new(3), null, null, 3), await one.Log.ExpireAsync(stream, clock.GetUtcNow(), None));

        Assert.Equal(1, await CountAsync(stream));
        Assert.Empty(await other.ReadAllAsync(stream, 3));
        Assert.Equal(new AppendOutcome.Stored(new(2), new(3), 0, 1, 3), await other.AppendAsync(stream, Batch("p", 3, 2, "2"))); // A late repeat.
        Assert.Equal(ErrorCode.Fenced, Assert.IsType<AppendOutcome.Refused>(await other.AppendAsync(stream, Batch("p", 2, 0, "x"))).Refusal.Code);
        Assert.Equal(3, Assert.IsType<AppendOutcome.Refused>(await other.AppendAsync(stream, Batch("p", 3, 5, "x"))).ExpectedSequence);
        Assert.Equal(new AppendOutcome.Stored(new(3), new(4), 1, 0, 4), await other.AppendAsync(stream, Batch("p", 3, 3, "3")));
        Assert.Equal(["3"], await one.ReadAllAsync(stream, 3));
        Assert.Equal(3, (await one.Log.FindByTimestampAsync(stream, 0, None))?.Value);
        Assert.Equal((3, 4, 4), await one.Log.FindAsync(stream, None) is { } summary ? (summary.FirstIndex.Value, summary.NextIndex.Value, summary.Bytes) : default);
    }

    [Fact]
    public async Task A_closed_stream_stays_closed_and_keeps_its_summary()
    {
        var stream = NewStream();
        await one.AppendAsync(stream, Batch("p", 0, 0, "0", "1"));
        await one.CloseAsync(stream, Outcome.Failed);
        var before = await one.Log.FindAsync(stream, None);
        clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(new StreamExpiry(new(2), new(2), null, Outcome.Failed, 2), await one.Log.ExpireAsync(stream, clock.GetUtcNow(), None));

        await using var late = await LogNode.StartAsync(broker.Url, clock: clock);
        foreach (var node in (LogNode[])[one, other, late])
        {
            var summary = await node.Log.FindAsync(stream, None);
            Assert.Equal(before!.Producers, summary!.Producers);
            Assert.Equal((2, 2, 2, Outcome.Failed), (summary.FirstIndex.Value, summary.NextIndex.Value, summary.Bytes, summary.End));
            Assert.Equal(before.LastAppendAt, summary.LastAppendAt);
            Assert.Equal(before.LastTimestamp, summary.LastTimestamp);
            Assert.Equal(ErrorCode.StreamClosed, Assert.IsType<AppendOutcome.Refused>(await node.AppendAsync(stream, "x")).Refusal.Code);
            Assert.Equal(new CloseOutcome.Closed(new(2), Outcome.Failed, true), await node.CloseAsync(stream, Outcome.Failed));
            Assert.IsType<CloseOutcome.Refused>(await node.CloseAsync(stream, Outcome.Completed));
            await using var tail = await node.Log.OpenTailAsync(stream, None);
            Assert.Equal((2, 2, Outcome.Failed), (tail.FirstIndex.Value, tail.NextIndex.Value, tail.End));
        }
        Assert.Equal(1, await CountAsync(stream));
    }

    [Fact]
    public async Task An_expiry_is_no_append_for_whoever_asks_when_the_last_one_was()
    {
        var stream = NewStream();
        await one.AppendAsync(stream, "0");
        var appended = clock.GetUtcNow();
        for (var i = 0; i < 3; i++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await ((LogNode[])[one, other])[i % 2].Log.ExpireAsync(stream, clock.GetUtcNow(), None);
        }
        Assert.Equal(appended, (await other.Log.FindAsync(stream, None))!.LastAppendAt);
        await other.AppendAsync(stream, "1");
        Assert.Equal(clock.GetUtcNow(), (await one.Log.FindAsync(stream, None))!.LastAppendAt);
    }

    [Fact]
    public async Task A_reader_gets_over_any_number_of_records_that_only_tell_what_expired()
    {
        const int Records = 300; // More than one batch of records.
        var stream = await NewStreamOfAsync(Records, chunks: 1);
        var last = clock.GetUtcNow();
        for (var i = 1; i < Records; i++) await one.Log.ExpireAsync(stream, last - TimeSpan.FromMinutes(Records - i + 1) + TimeSpan.FromSeconds(1), None);
        Assert.Equal(Records, await CountAsync(stream)); // One with a chunk; all others say nothing but where it begins.
        await other.AppendAsync(stream, "300");

        Assert.Equal(["299", "300"], await other.ReadAllAsync(stream, Records - 1));
        var records = await other.Log.ReadStoredAsync(stream, new ChunkIndex(Records), null, None);
        Assert.Contains(records, record => record.Count == 1 && record.FirstIndex.Value == Records);

        clock.Advance(TimeSpan.FromSeconds(1));
        await one.Log.ExpireAsync(stream, clock.GetUtcNow(), None);
        Assert.Equal(1, await CountAsync(stream));
    }

    [Fact]
    public async Task What_a_crash_left_between_the_word_and_the_deed_the_next_call_removes()
    {
        // The word is given by a node that dies before it removes anything: the record is written past the appender.
        var stream = await NewStreamOfAsync(records: 5, chunks: 2);
        await one.CloseAsync(stream, Outcome.Completed);
        var head = new Records.StreamHead();
        head.Apply((await one.Session.Gets.FindLastAsync(SubjectMap.Of(stream), None))!);
        using (var builder = new Records.RecordBuilder())
        {
            builder.Begin(head);
            Assert.True(builder.TryTrim(new ChunkIndex(10)));
            await using var connection = new NatsConnection(new NatsOpts { Url = broker.Url });
            await connection.PublishAsync(
                SubjectMap.Of(stream).Subject, builder.Finish(4711, null), serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default, cancellationToken: None);
            await Until.TrueAsync(() => "The record was not stored.", async () => await CountAsync(stream) == 7);
        }
        Assert.Equal(10, (await other.Log.FindAsync(stream, None))?.FirstIndex.Value);

        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new StreamExpiry(new(10), new(10), null, Outcome.Completed, 0), await other.Log.ExpireAsync(stream, clock.GetUtcNow(), None));
        Assert.Equal(1, await CountAsync(stream));
    }

    [Fact]
    public async Task What_expired_makes_room_under_the_limit_of_bytes()
    {
        var limits = new StreamLimits(MaxBytes: 10, MaxChunks: long.MaxValue);
        var stream = NewStream();
        await one.AppendAsync(stream, Batch(null, 0, 0, "1234567890"), limits);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ErrorCode.StreamFull, Assert.IsType<AppendOutcome.Refused>(await one.AppendAsync(stream, Batch(null, 0, 0, "1"), limits)).Refusal.Code);
        await other.Log.ExpireAsync(stream, clock.GetUtcNow(), None);

        foreach (var node in (LogNode[])[one, other])
            Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, Batch(null, 0, 0, "12345"), limits));
        Assert.Equal(ErrorCode.StreamFull, Assert.IsType<AppendOutcome.Refused>(await one.AppendAsync(stream, Batch(null, 0, 0, "1"), limits)).Refusal.Code);
        Assert.Equal(20, (await one.Log.FindAsync(stream, None))?.Bytes);
    }

    [Fact]
    public async Task An_expiry_after_a_trim_goes_no_further_back_and_one_of_an_erased_stream_leaves_nothing()
    {
        var stream = await NewStreamOfAsync(records: 3, chunks: 2);
        var batch = Batch(null, 0, 0, "6");
        batch.Trim = (5, 0);
        await one.AppendAsync(stream, batch);
        Assert.Equal(5, (await other.Log.ExpireAsync(stream, clock.GetUtcNow() - TimeSpan.FromMinutes(2), None))?.FirstIndex.Value);

        await one.Log.EraseAsync(stream.Environment, stream.Run, None);
        Assert.Null(await other.Log.ExpireAsync(stream, clock.GetUtcNow() + TimeSpan.FromDays(1), None));
        Assert.Equal(0, await CountAsync(stream));
    }

    [Fact]
    public async Task Appends_and_expiries_on_two_nodes_lose_nothing_that_has_not_expired()
    {
        const int Producers = 4, Chunks = 150;
        var stream = NewStream();
        // On the real clock, as nodes that conflict wait for a moment each time; and on a broker of their own, or they would hand over to those whose clock
        // stands still, where that moment never passes.
        await using var another = await TestBroker.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var third = await LogNode.StartAsync(another.Url);
        await using var fourth = await LogNode.StartAsync(another.Url);
        LogNode[] nodes = [third, fourth];
        using var done = new CancellationTokenSource();
        var ages = new System.Collections.Concurrent.ConcurrentDictionary<long, (string Chunk, DateTimeOffset Before, DateTimeOffset After)>();
        var cutOffs = new System.Collections.Concurrent.ConcurrentBag<DateTimeOffset>();
        async Task WriteAsync(int producer)
        {
            for (var i = 0; i < Chunks; i++)
            {
                var (chunk, before) = ($"{producer}:{i}", TimeProvider.System.GetUtcNow());
                var stored = Assert.IsType<AppendOutcome.Stored>(await nodes[producer % 2].AppendAsync(stream, Batch($"p{producer}", 0, i, chunk)));
                Assert.Equal((1, 0), (stored.Added, stored.Duplicates));
                Assert.True(ages.TryAdd(stored.First!.Value.Value, (chunk, before, TimeProvider.System.GetUtcNow())), $"Two chunks have the index {stored.First}.");
            }
        }
        async Task ExpireAsync(LogNode node)
        {
            while (!done.IsCancellationRequested)
            {
                // Whole milliseconds, as the log keeps its times: what was admitted in the millisecond of the cut-off is not older.
                var cutOff = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 100);
                cutOffs.Add(cutOff);
                await node.Log.ExpireAsync(stream, cutOff, None);
            }
        }
        var expiring = nodes.Select(ExpireAsync).ToArray();
        await Task.WhenAll(Enumerable.Range(0, Producers).Select(WriteAsync));
        await done.CancelAsync();
        await Task.WhenAll(expiring);

        var latest = cutOffs.Max();
        var first = (int)(await third.Log.FindAsync(stream, None))!.FirstIndex.Value;
        Assert.True(first > 0, "Nothing expired.");
        Assert.Equal(Enumerable.Range(0, Producers * Chunks).Select(i => (long)i), ages.Keys.Order()); // Every index once, for one acknowledged chunk.
        Assert.All(Enumerable.Range(0, first), index => Assert.True(ages[index].Before < latest, $"Chunk {index} was given up too early."));
        Assert.Equal(Enumerable.Range(first, (Producers * Chunks) - first).Select(index => ages[index].Chunk), await third.ReadAllAsync(stream, first));
        var left = await fourth.Log.ExpireAsync(stream, latest, None);
        Assert.All(Enumerable.Range((int)left!.FirstIndex.Value, (Producers * Chunks) - (int)left.FirstIndex.Value), index => Assert.True(ages[index].After >= latest, $"Chunk {index} is too old."));
    }

    private async Task<StreamAddress> NewStreamOfAsync(int records, int chunks)
    {
        var stream = NewStream();
        for (var i = 0; i < records; i++)
        {
            Assert.IsType<AppendOutcome.Stored>(await one.AppendAsync(stream, [.. Enumerable.Range(i * chunks, chunks).Select(index => $"{index}")]));
            clock.Advance(TimeSpan.FromMinutes(1));
        }
        return stream;
    }

    /// <summary>How many records the broker has.</summary>
    private async Task<long> CountAsync(StreamAddress stream)
    {
        var place = SubjectMap.Of(stream);
        await using var connection = new NatsConnection(new NatsOpts { Url = broker.Url });
        var info = await new NatsJSContext(connection).GetStreamAsync(place.Shard, new StreamInfoRequest { SubjectsFilter = place.Subject }, None);
        return info.Info.State.Subjects?.TryGetValue(place.Subject, out var count) == true ? count : 0;
    }
}
