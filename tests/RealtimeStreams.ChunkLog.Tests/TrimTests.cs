using Microsoft.Extensions.Time.Testing;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class TrimTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private const string PublishLink = "realtimestreams-publish";
    private static readonly CancellationToken None = CancellationToken.None;

    private LogNode Node => fixture.Node;

    [Fact]
    public async Task What_is_given_up_is_hidden_to_the_index_at_once_and_its_records_are_removed()
    {
        var stream = await NewStreamOfAsync(records: 10, chunks: 3);
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        await using var tail = await other.Log.OpenTailAsync(stream, None);
        Assert.Equal(ChunkIndex.Zero, tail.FirstIndex);
        await TrimAsync(stream, 14); // In the middle of the fifth record.

        Assert.Equal(14, (await Node.Log.FindAsync(stream, None))?.FirstIndex.Value);
        await Until.TrueAsync(() => "The other node's tail did not learn of the trim point.", () => tail.FirstIndex.Value == 14);
        Assert.Null(tail.Find(new ChunkIndex(13)));
        await Until.TrueAsync(() => "The records were not removed.", async () => await CountAsync(stream) == 7); // Six of ten, and the one that trims.
        Assert.Equal(12, (await Node.Log.ReadStoredAsync(stream, ChunkIndex.Zero, null, None))[0].FirstIndex.Value);
        Assert.Equal(Enumerable.Range(14, 17).Select(i => $"{i}"), await other.ReadAllAsync(stream, 14));
        Assert.Equal(31, (await other.Log.FindAsync(stream, None))?.NextIndex.Value);
    }

    [Fact]
    public async Task A_trim_point_never_moves_back_and_not_behind_the_chunk_that_sets_it()
    {
        var stream = await NewStreamOfAsync(records: 2, chunks: 3);
        await TrimAsync(stream, 4);
        await TrimAsync(stream, 2);
        Assert.Equal(4, (await Node.Log.FindAsync(stream, None))?.FirstIndex.Value);
        await TrimAsync(stream, long.MaxValue); // Index 8; so it is itself given up.
        var summary = await Node.Log.FindAsync(stream, None);
        Assert.Equal((9, 9), (summary?.FirstIndex.Value, summary?.NextIndex.Value));
        await Until.TrueAsync(() => "The records were not removed.", async () => await CountAsync(stream) == 1); // The last one stays: it is the head.
        Assert.Null(await Node.Log.FindByTimestampAsync(stream, 0, None));
        await Node.AppendAsync(stream, "9");
        Assert.Equal(9, (await Node.Log.FindByTimestampAsync(stream, 0, None))?.Value);
        Assert.Equal(["9"], await Node.ReadAllAsync(stream, 9));
    }

    [Fact]
    public async Task A_command_in_the_middle_of_a_batch_keeps_what_is_behind_it()
    {
        var stream = NewStream();
        var batch = Batch(null, 0, 0, "0", "trim", "2", "3");
        batch.Trim = (100, 1);
        await Node.AppendAsync(stream, batch);
        Assert.Equal(2, (await Node.Log.FindAsync(stream, None))?.FirstIndex.Value);
    }

    [Fact]
    public async Task A_node_that_starts_later_knows_the_trim_point_and_finishes_the_removal()
    {
        // A trim that is stored by a node which dies before it removes anything: the record is written past the appender.
        var stream = await NewStreamOfAsync(records: 5, chunks: 2);
        var head = new Records.StreamHead();
        head.Apply((await Node.Session.Gets.FindLastAsync(SubjectMap.Of(stream), None))!);
        using (var builder = new Records.RecordBuilder())
        using (var batch = Batch(null, 0, 0, "10"))
        {
            batch.Trim = (7, 0);
            builder.Begin(head);
            Assert.Null(builder.Admit(batch, NoLimits, TimeProvider.System.GetUtcNow(), out _, out _));
            await using var connection = new NatsConnection(new NatsOpts { Url = fixture.Broker.Url });
            await connection.PublishAsync(SubjectMap.Of(stream).Subject, builder.Finish(4711, null), serializer: NatsRawSerializer<ReadOnlyMemory<byte>>.Default, cancellationToken: None);
            await Until.TrueAsync(() => "The record was not stored.", async () => await CountAsync(stream) == 6);
        }
        await using var late = await LogNode.StartAsync(fixture.Broker.Url);
        Assert.Equal(7, (await late.Log.FindAsync(stream, None))?.FirstIndex.Value);
        await late.AppendAsync(stream, "11");
        await Until.TrueAsync(() => "The records were not removed.", async () => await CountAsync(stream) == 4);
        Assert.Equal(["7", "8", "9", "10", "11"], await late.ReadAllAsync(stream, 7));
    }

    [Fact]
    public async Task Appends_go_on_while_records_are_removed_and_none_of_theirs_is_lost()
    {
        const int Producers = 3, Chunks = 120;
        var stream = NewStream();
        await using var other = await LogNode.StartAsync(fixture.Broker.Url);
        await Task.WhenAll(Enumerable.Range(0, Producers).Select(async producer =>
        {
            var node = producer % 2 == 0 ? Node : other;
            for (var i = 0; i < Chunks; i++)
            {
                var batch = Batch($"p{producer}", 0, i, $"{producer}:{i}");
                if (i % 5 == 4) batch.Trim = (long.MaxValue, 0); // All up to this one.
                var stored = Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, batch));
                Assert.Equal((1, 0), (stored.Added, stored.Duplicates));
            }
        }));
        var summary = await Node.Log.FindAsync(stream, None);
        Assert.Equal(Producers * Chunks, summary?.NextIndex.Value);
        Assert.Equal(Producers * Chunks, summary?.FirstIndex.Value); // The very last chunk is always one that trims.
        await Until.TrueAsync(() => "The records were not removed.", async () => await CountAsync(stream) == 1);
    }

    [Fact]
    public async Task What_was_removed_makes_room_under_the_limit_of_bytes()
    {
        var limits = new StreamLimits(MaxBytes: 10, MaxChunks: long.MaxValue);
        var stream = NewStream();
        for (var round = 0; round < 4; round++)
        {
            await Until.TrueAsync(
                () => "There is no room.",
                async () => await Node.AppendAsync(stream, Batch(null, 0, 0, "12345678"), limits) is AppendOutcome.Stored);
            var trim = Batch(null, 0, 0, "9");
            trim.Trim = (long.MaxValue, 0);
            Assert.IsType<AppendOutcome.Stored>(await Node.AppendAsync(stream, trim, limits));
            var refused = Assert.IsType<AppendOutcome.Refused>(await Node.AppendAsync(stream, Batch(null, 0, 0, "1234567890"), limits));
            Assert.Equal(ErrorCode.StreamFull, refused.Refusal.Code); // The one that trims stays, as it is the last.
        }
    }

    [Fact]
    public async Task An_erased_stream_has_no_trim_point_any_more()
    {
        var stream = await NewStreamOfAsync(records: 3, chunks: 2);
        await TrimAsync(stream, 5);
        await Node.Log.EraseAsync(stream.Environment, stream.Run, None);
        await Node.AppendAsync(stream, "0");
        Assert.Equal(0, (await Node.Log.FindAsync(stream, None))?.FirstIndex.Value);
        await using var tail = await Node.Log.OpenTailAsync(stream, None);
        Assert.Equal(0, tail.FirstIndex.Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("p")]
    public async Task A_chunk_whose_acknowledgement_was_lost_and_that_was_given_up_meanwhile_is_not_stored_again(string? producer)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await LogNode.StartAsync(proxy.Url, clock: clock);
        var stream = NewStream();
        await node.AppendAsync(stream, Batch(producer, 0, 0, "0"));
        proxy.Hold(PublishLink);
        var append = node.AppendAsync(stream, Batch(producer, 0, 1, "1"));
        await Until.TrueAsync(() => "The chunk was not stored.", async () => (await Node.Log.FindAsync(stream, None))?.NextIndex.Value == 2);
        await TrimAsync(stream, long.MaxValue);
        await Until.TrueAsync(() => "The records were not removed.", async () => await CountAsync(stream) == 1);
        await Until.TrueAsync(
            () => "The append was not answered.",
            () =>
            {
                if (!append.IsCompleted) clock.Advance(TimeSpan.FromMilliseconds(100)); // The acknowledgement is waited for for a second.
                return append.IsCompleted;
            });
        if (producer is null)
            Assert.Equal((ErrorCode.LogUnavailable.Code, true), Assert.IsType<AppendOutcome.Refused>(await append).Refusal.Code is var code ? (code.Code, code.MayHaveWritten) : default);
        else
            Assert.Equal((0, 1), Assert.IsType<AppendOutcome.Stored>(await append) is var stored ? (stored.Added, stored.Duplicates) : default);
        Assert.Equal(3, (await Node.Log.FindAsync(stream, None))?.NextIndex.Value);
        proxy.Release(PublishLink);
    }

    private async Task<StreamAddress> NewStreamOfAsync(int records, int chunks)
    {
        var stream = NewStream();
        for (var i = 0; i < records; i++)
            Assert.IsType<AppendOutcome.Stored>(await Node.AppendAsync(stream, [.. Enumerable.Range(i * chunks, chunks).Select(index => $"{index}")]));
        return stream;
    }

    /// <summary>Appends a chunk, its own index, that gives up what is before an index.</summary>
    private async Task TrimAsync(StreamAddress stream, long index)
    {
        var next = (await Node.Log.FindAsync(stream, None))!.NextIndex.Value;
        var batch = Batch(null, 0, 0, $"{next}");
        batch.Trim = (index, 0);
        Assert.IsType<AppendOutcome.Stored>(await Node.AppendAsync(stream, batch));
    }

    /// <summary>How many records the broker has.</summary>
    private async Task<long> CountAsync(StreamAddress stream)
    {
        var place = SubjectMap.Of(stream);
        await using var connection = new NatsConnection(new NatsOpts { Url = fixture.Broker.Url });
        var info = await new NatsJSContext(connection).GetStreamAsync(place.Shard, new StreamInfoRequest { SubjectsFilter = place.Subject }, None);
        return info.Info.State.Subjects?.TryGetValue(place.Subject, out var count) == true ? count : 0;
    }
}
