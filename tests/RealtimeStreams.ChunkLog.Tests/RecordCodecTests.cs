using CsCheck;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.ChunkLog.Tests.Histories;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class RecordCodecTests(ITestOutputHelper output)
{
    [Fact]
    public void What_was_admitted_is_read_back_with_its_producers_times_and_address() =>
        AnyHistory.OfFewProducers.Sample(ReadsBack, output.WriteLine, iter: 1_000 * Sweep.Rounds);

    [Fact]
    public void A_stream_of_more_producers_than_it_remembers_is_read_back_too() =>
        AnyHistory.OfManyProducers.Sample(ReadsBack, output.WriteLine, iter: 100 * Sweep.Rounds);

    [Fact]
    public void A_chunks_time_is_kept_to_the_millisecond_for_as_long_as_a_request_may_wait()
    {
        var start = new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);
        Gen.Int[0, 60_000].Array[1, 20].Sample(
            delays =>
            {
                using var builder = new RecordBuilder();
                builder.Begin(new StreamHead());
                foreach (var delay in delays) builder.Admit(LogNode.Batch(null, 0, 0, "1"), LogNode.NoLimits, start.AddMilliseconds(delay), out _, out _);
                Assert.True(LogRecord.TryParse(builder.Finish(1, null).ToArray(), 1, out var record, out _));
                Assert.Equal(delays.Select(delay => start.AddMilliseconds(delay)), Enumerable.Range(0, delays.Length).Select(record.AdmittedAt));
            },
            output.WriteLine);
    }

    [Fact]
    public void A_record_adds_no_more_to_its_chunks_than_the_room_that_is_kept_for_it()
    {
        // 1,024 batches, each with a key as long as it may be, from 64 producers with ids as long as they may be, under a digested address.
        using var builder = new RecordBuilder();
        var address = new string('a', 64 + 256 + 256 + 2);
        var head = new StreamHead();
        var stored = 0;
        for (ulong sequence = 1; stored < 1024; sequence++)
        {
            builder.Begin(head);
            var before = stored;
            while (stored < 1024 && NextBatch(stored) is var batch && builder.HasRoomFor(batch))
            {
                Assert.Null(builder.Admit(batch, LogNode.NoLimits, DateTimeOffset.UnixEpoch.AddMinutes(1), out _, out _));
                stored++;
            }
            Assert.True(stored > before, "The record took nothing.");
            var length = builder.Finish(1, address).Length;
            Assert.True(length <= RecordLayout.SoftBytes + RecordLayout.MaxOverhead, $"A record of {builder.Chunks} small chunks has {length} bytes.");
            builder.CommitTo(head, sequence);
        }

        static ChunkBatch NextBatch(int number)
        {
            var batch = new ChunkBatch
            {
                Producer = ProducerId.Parse($"{number % 64:D4}{new string('p', 60)}"),
                FirstSequence = number / 64,
                IdempotencyKey = $"{number:D8}{new string('k', 120)}",
            };
            batch.Add("12"u8);
            return batch;
        }
    }

    private static void ReadsBack(History history)
    {
        using var writer = RecordWriter.Write(history);
        var model = writer.Model;
        var records = writer.Parse();
        var next = ChunkIndex.Zero;
        long bytes = 0;
        foreach (var record in records)
        {
            Assert.Equal(next, record.FirstIndex); // Dense.
            Assert.Equal(history.Address, record.Address);
            var producers = record.Producers().ToList();
            for (var i = 0; i < record.Count; i++, next = next.Next)
            {
                var chunk = model.Chunks[(int)next.Value];
                Assert.Equal(chunk.Bytes, record.Chunk(i).ToArray());
                Assert.Equal(chunk.Form, record.FormOf(i));
                Assert.Equal(ChunkAttributes.Of(chunk.Attributes).PartId, record.AttributesOf(i).PartId);
                Assert.Equal(ChunkAttributes.Of(chunk.Attributes).HeaderCount, record.AttributesOf(i).HeaderCount);
                Assert.Equal(chunk.Timestamp, record.TimestampOf(i));
                Assert.Equal(chunk.Time.ToUnixTimeMilliseconds(), record.AdmittedAt(i).ToUnixTimeMilliseconds());
                // Only a record of more than 64 producers forgets who wrote some of its chunks.
                if (record.ProducerOf(i) is { } producer || producers.Count < RecordLayout.MaxProducers) Assert.Equal(chunk.Producer, record.ProducerOf(i));
                bytes += chunk.Size;
            }
            Assert.Equal(next, record.NextIndex);
            Assert.Equal(bytes, record.TotalBytes);
            Assert.Equal(record == records[^1] ? model.End : null, record.End);
        }
        Assert.Equal(model.Chunks.Count, next.Value); // None is missing, none is there twice.
        if (records.Count == 0) return;
        Assert.Equal(model.Producers, records[^1].Producers());
        Assert.Equal(new StreamState(new ChunkIndex(model.TrimPoint), model.LastTimestamp, model.Token), records[^1].State);
        Assert.Equal(model.LastTimestamp, records[^1].LastTimestamp);
    }
}
