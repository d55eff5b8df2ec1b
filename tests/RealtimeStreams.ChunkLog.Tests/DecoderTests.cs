using System.Buffers;
using System.Text;
using CsCheck;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Tests.Histories;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>What comes from the broker is bytes that anybody may have written: decoders refuse it or make sense of it, and never throw.</summary>
public sealed class DecoderTests(ITestOutputHelper output)
{
    [Fact]
    public void Random_bytes_are_no_record_and_break_nothing() =>
        Gen.Byte.Array[0, 300].Sample(bytes => { Decode(bytes); }, output.WriteLine, iter: 20_000 * Sweep.Rounds);

    [Fact]
    public void Random_bytes_behind_the_start_of_a_record_break_nothing() => Gen.Select(
        Gen.Byte[0, 1], Gen.Byte[0, 5], Gen.Byte[0, 3], Gen.Byte[0, 4], Gen.Byte.Array[51, 200],
        (flags, outcome, producers, count, rest) => (byte[])[1, flags, outcome, producers, count, .. rest])
        .Sample(bytes => { Decode(bytes); }, output.WriteLine, iter: 20_000 * Sweep.Rounds);

    [Fact]
    public void Every_changed_byte_of_a_record_gives_another_record_or_none() => AnyHistory.OfFewProducers.Sample(
        history =>
        {
            using var writer = RecordWriter.Write(history with { Steps = [.. history.Steps.Take(12)] });
            foreach (var (body, _) in writer.Log.Where(stored => stored.Body.Length < 2_000))
            {
                for (var at = 0; at < body.Length; at++)
                {
                    foreach (var change in (ReadOnlySpan<byte>)[1, 2, 4, 8, 16, 32, 64, 128, 255])
                    {
                        var changed = body.ToArray();
                        changed[at] ^= change;
                        Decode(changed);
                    }
                }
            }
        },
        output.WriteLine,
        iter: 10 * Sweep.Rounds);

    [Fact]
    public void A_record_from_before_there_were_forms_attributes_and_timestamps_is_read_as_it_was_meant()
    {
        // Version 1, no flags, one producer, 2 chunks from index 5 on, 12 bytes so far, at 1,000 ms; then an idempotency key; then the chunks.
        byte[] record =
        [
            1, 0, 0, 1, 2, 0, 0, 0, .. Long(5), .. Long(12), .. Long(1000), .. Long(77), .. Long(0), 0, 0, 0, 0, 8, 0, 0, 0,
            1, (byte)'p', 3, 0, 0, 0, .. Long(9), .. Long(6),
            1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 250, 0, 255, 0,
            1, 0, 0, 2, 0, 1, 0, (byte)'k',
            (byte)'1', (byte)'2', (byte)'3',
        ];
        Assert.True(LogRecord.TryParse(record, 4, out var read, out var fault), fault);
        Assert.Equal("1"u8, read.Chunk(0).Span);
        Assert.Equal("23"u8, read.Chunk(1).Span);
        Assert.Equal((ChunkForm.Json, true), (read.FormOf(1), read.AttributesOf(1).IsEmpty));
        Assert.Equal((1000L, 1250L, 1250L), (read.TimestampOf(0), read.TimestampOf(1), read.LastTimestamp));
        Assert.Equal(Records.StreamState.Empty with { LastTimestamp = 1250 }, read.State);
        Assert.Equal([("k", 0, 2)], read.IdempotencyKeys());
        Assert.Equal("p", read.ProducerOf(0)?.Value);

        static byte[] Long(long value) => BitConverter.GetBytes(value);
    }

    [Fact]
    public void A_record_cut_anywhere_or_longer_than_it_says_is_refused() => AnyHistory.OfFewProducers.Sample(
        history =>
        {
            using var writer = RecordWriter.Write(history with { Steps = [.. history.Steps.Take(12)] });
            foreach (var (body, _) in writer.Log.Where(stored => stored.Body.Length < 5_000))
            {
                for (var length = 0; length < body.Length; length++) Assert.False(Decode(body[..length]), $"Cut to {length} of {body.Length} bytes it was accepted.");
                Assert.False(Decode([.. body, 0]));
            }
        },
        output.WriteLine,
        iter: 20 * Sweep.Rounds);

    [Fact]
    public void Any_answer_to_a_publish_has_a_meaning() => Gen.OneOf(
        Gen.Byte.Array[0, 80],
        Gen.String[0, 60].Select(Encoding.UTF8.GetBytes),
        Gen.Select(
            Gen.OneOf("seq", "err_code", "code", "description", "stream", "error"),
            Gen.OneOf("1", "-1", "1.5", "99999999999999999999", "null", "\"x\"", "\"\\ud800\"", "{}", "[]", "{\"seq\":2", "10071", "true", ""),
            (name, value) => Encoding.UTF8.GetBytes($"{{\"{name}\":{value}}}")))
        .Sample(
            bytes =>
            {
                Assert.True(Enum.IsDefined(PubAck.Parse(default, Split(bytes)).Kind));
                Assert.True(Enum.IsDefined(PubAck.Parse(new ReadOnlySequence<byte>(bytes), default).Kind));
            },
            output.WriteLine,
            iter: 20_000 * Sweep.Rounds);

    [Theory]
    [InlineData("""{"stream":"RS00","seq":7}""", PublishKind.Stored)]
    [InlineData("""{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 5"},"stream":"RS00","seq":0}""", PublishKind.Conflict)]
    [InlineData("""{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"RS00","seq":0}""", PublishKind.Conflict)]
    [InlineData("""{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"RS00","seq":0}""", PublishKind.Full)]
    [InlineData("""{"error":{"code":503,"err_code":10023,"description":"insufficient resources"},"stream":"RS00","seq":0}""", PublishKind.Full)]
    [InlineData("""{"error":{"code":503,"err_code":10077,"description":"the disk said no"},"stream":"RS00","seq":0}""", PublishKind.Unknown)]
    [InlineData("""{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"},"stream":"RS00","seq":0}""", PublishKind.Rejected)]
    [InlineData("", PublishKind.Unknown)]
    internal void Known_answers_mean_what_the_broker_means(string answer, PublishKind kind) =>
        Assert.Equal(kind, PubAck.Parse(default, Split(Encoding.UTF8.GetBytes(answer))).Kind);

    [Fact]
    public void Any_header_block_has_a_status_and_a_sequence_or_none() => Gen.OneOf(
        Gen.Byte.Array[0, 60],
        Gen.Select(
            Gen.OneOf("NATS/1.0", "NATS/1.0 404", "NATS/1.0 99999999999", "NATS/1.0 4", "NATS/1.0  ", "x"),
            Gen.OneOf("\r\nNats-Sequence: 12\r\n", "\r\nNats-Sequence: -1", "\r\nNats-Sequence: ", "\r\nNats-Sequence: 99999999999999999999", ""),
            Gen.Int[0, 1100],
            (status, header, padding) => Encoding.UTF8.GetBytes(status + new string('x', padding) + header)))
        .Sample(
            bytes =>
            {
                var whole = new ReadOnlySequence<byte>(bytes);
                Assert.Equal(StatusLine.Read(whole), StatusLine.Read(Split(bytes)));
                if (bytes.Length <= 1024) Assert.Equal(StatusLine.FindSequence(whole), StatusLine.FindSequence(Split(bytes)));
            },
            output.WriteLine,
            iter: 5_000 * Sweep.Rounds);

    /// <summary>Parses, and reads everything that a record then claims to have.</summary>
    private static bool Decode(byte[] bytes)
    {
        if (!LogRecord.TryParse(bytes, 1, out var record, out var fault))
        {
            Assert.NotEmpty(fault);
            return false;
        }
        Assert.InRange(record.Count, record.End is null ? 1 : 0, ChunkBatch.MaxCount);
        for (var i = 0; i < record.Count; i++)
        {
            Assert.InRange(record.Chunk(i).Length, 0, bytes.Length);
            _ = record.AdmittedAt(i);
            _ = record.ProducerOf(i);
            Assert.True(record.TimestampOf(i) >= 0);
            Assert.InRange(record.FormOf(i), ChunkForm.Json, ChunkForm.Binary);
            foreach (var header in record.AttributesOf(i)) Assert.InRange(header.Name.Length + header.Value.Length, 0, bytes.Length);
            record.WriteJson(i, new ArrayBufferWriter<byte>());
        }
        _ = record.Producers().Count();
        _ = record.IdempotencyKeys().Count();
        _ = record.Address;
        Assert.True(record.LastTimestamp >= 0 && record.TrimPoint <= record.NextIndex);
        Assert.True(record.TotalBytes >= 0 && record.NextIndex >= record.FirstIndex);
        new Records.StreamHead().Apply(record);
        return true;
    }

    private static ReadOnlySequence<byte> Split(byte[] bytes)
    {
        if (bytes.Length < 2) return new ReadOnlySequence<byte>(bytes);
        var first = new Segment(bytes.AsMemory(0, bytes.Length / 2), null);
        var last = new Segment(bytes.AsMemory(bytes.Length / 2), first);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
