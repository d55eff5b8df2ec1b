using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class TimestampTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Timestamps_never_go_back_though_the_clocks_of_two_nodes_differ()
    {
        // The second clock is a minute behind, and it is the test's: what the appends wait for passes on the real one of the fixture's node.
        await using var behind = await LogNode.StartAsync(fixture.Broker.Url, clock: new FakeTimeProvider(Start) { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) });
        var stream = NewStream();
        var last = 0L;
        for (var i = 0; i < 6; i++)
        {
            // Now and then in turn: no conflicts in a row, so that each node writes for itself.
            var stored = Assert.IsType<AppendOutcome.Stored>(
                await (i % 2 == 0 ? fixture.Node : behind).Log.AppendAsync(stream, Batch(null, 0, 0, $"{i}", "x"), NoLimits, TestContext.Current.CancellationToken));
            Assert.True(stored.FirstTimestamp >= last && stored.LastTimestamp >= stored.FirstTimestamp, $"{stored.FirstTimestamp} comes after {last}.");
            if (i % 2 == 1) Assert.Equal(last, stored.FirstTimestamp); // Raised to the last one.
            last = stored.LastTimestamp;
        }
        var records = await fixture.Node.Log.ReadStoredAsync(stream, ChunkIndex.Zero, null, TestContext.Current.CancellationToken);
        var times = records.SelectMany(record => Enumerable.Range(0, record.Count).Select(record.TimestampOf)).ToList();
        Assert.Equal(12, times.Count);
        Assert.Equal(times.Order(), times);
        Assert.Equal(last, (await behind.Log.FindAsync(stream, TestContext.Current.CancellationToken))?.LastTimestamp);
        await using var tail = await behind.Log.OpenTailAsync(stream, TestContext.Current.CancellationToken);
        Assert.Equal(last, tail.LastTimestamp);
    }

    [Fact]
    public async Task An_acknowledgement_and_its_repeat_name_the_same_timestamps()
    {
        var stream = NewStream();
        var first = Assert.IsType<AppendOutcome.Stored>(await AppendAsync(fixture.Node));
        await fixture.Node.AppendAsync(stream, "2");
        Assert.Equal((5L, 7L), (first.FirstTimestamp, first.LastTimestamp));
        Assert.Equal(first with { Added = 0, Duplicates = 2 }, await AppendAsync(fixture.Node));
        await using var late = await LogNode.StartAsync(fixture.Broker.Url);
        Assert.Equal(first with { Added = 0, Duplicates = 2 }, await AppendAsync(late));

        Task<AppendOutcome> AppendAsync(LogNode node)
        {
            var batch = new ChunkBatch { IdempotencyKey = "k" };
            batch.Add("0"u8, ChunkForm.Json, timestamp: 5);
            batch.Add("1"u8, ChunkForm.Json, timestamp: 7);
            return node.Log.AppendAsync(stream, batch, NoLimits, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task The_end_of_a_stream_keeps_the_timestamp_of_its_last_chunk_and_an_empty_one_has_none()
    {
        var stream = NewStream();
        var batch = new ChunkBatch();
        batch.Add("0"u8, ChunkForm.Json, timestamp: 5);
        await fixture.Node.AppendAsync(stream, batch);
        await fixture.Node.CloseAsync(stream, Outcome.Completed);
        Assert.Equal(5, (await fixture.Node.Log.FindAsync(stream, TestContext.Current.CancellationToken))?.LastTimestamp);
        Assert.Equal(0, (await fixture.Node.Log.FindByTimestampAsync(stream, 5, TestContext.Current.CancellationToken))?.Value);
        Assert.Null(await fixture.Node.Log.FindByTimestampAsync(stream, 6, TestContext.Current.CancellationToken));

        var empty = NewStream();
        await fixture.Node.CloseAsync(empty, Outcome.Completed);
        Assert.Equal(0, (await fixture.Node.Log.FindAsync(empty, TestContext.Current.CancellationToken))?.LastTimestamp);
        Assert.Null(await fixture.Node.Log.FindByTimestampAsync(empty, 0, TestContext.Current.CancellationToken));
        Assert.Null(await fixture.Node.Log.FindByTimestampAsync(NewStream(), 0, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_time_is_found_among_many_records()
    {
        var stream = NewStream();
        var random = new Random(4711);
        var times = new List<long>();
        for (var record = 0; record < 120; record++)
        {
            var batch = new ChunkBatch();
            for (var i = random.Next(1, 5); i > 0; i--)
            {
                times.Add((times.Count == 0 ? 1000 : times[^1]) + (random.Next(3) == 0 ? random.Next(1, 5000) : 0));
                batch.Add("1"u8, ChunkForm.Json, timestamp: times[^1]);
            }
            await fixture.Node.AppendAsync(stream, batch);
            await fixture.Node.AppendAsync(NewStream(), "of another stream between");
        }
        for (var i = 0; i < 60; i++)
        {
            var time = i < 30 ? times[random.Next(times.Count)] : random.NextInt64(900, times[^1] + 100);
            var expected = times.FindIndex(one => one >= time);
            Assert.Equal(expected < 0 ? null : expected, (await fixture.Node.Log.FindByTimestampAsync(stream, time, TestContext.Current.CancellationToken))?.Value);
        }
    }
}
