using System.Buffers;
using CsCheck;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class ChunkAttributesTests(ITestOutputHelper output)
{
    private static readonly Gen<byte[]> Bytes = Gen.Byte.Array[0, 20];

    [Fact]
    public void A_part_id_and_headers_come_back_in_their_order() => Gen.Select(Gen.Byte.Array[1, 64], Gen.Bool, Gen.Select(Bytes, Bytes).Array[0, 5]).Sample(
        (id, hasId, headers) =>
        {
            var encoded = new ArrayBufferWriter<byte>();
            if (hasId) ChunkAttributes.WritePartId(encoded, id);
            foreach (var (name, value) in headers) ChunkAttributes.WriteHeader(encoded, name, value);
            var attributes = ChunkAttributes.Of(encoded.WrittenSpan);
            Assert.Equal(hasId ? id : [], attributes.PartId);
            Assert.Equal(headers.Length, attributes.HeaderCount);
            var at = 0;
            foreach (var header in attributes)
            {
                Assert.Equal(headers[at].Item1, header.Name);
                Assert.Equal(headers[at++].Item2, header.Value);
            }
            Assert.Equal(headers.Length, at);
            Assert.Equal(encoded.WrittenCount == 0, attributes.IsEmpty);
        },
        output.WriteLine,
        iter: 2_000 * Sweep.Rounds);

    [Fact]
    public void Attributes_that_are_none_are_refused_and_break_nothing() => Gen.OneOf(
        Gen.Byte.Array[0, 30],
        Gen.Select(Gen.Byte[0, 3], Gen.Byte[0, 12], Gen.Byte[0, 9], Gen.Byte.Array[0, 12], (type, length, name, rest) => (byte[])[type, length, 0, 0, 0, name, 0, 0, 0, .. rest]))
        .Sample(
            bytes =>
            {
                if (ChunkAttributes.FindFault(bytes) is not null)
                {
                    Assert.Throws<ArgumentException>(() => ChunkAttributes.Of(bytes).HeaderCount);
                    return;
                }
                var attributes = ChunkAttributes.Of(bytes);
                var length = attributes.PartId.Length;
                foreach (var header in attributes) length += header.Name.Length + header.Value.Length;
                Assert.InRange(length, 0, bytes.Length);
            },
            output.WriteLine,
            iter: 20_000 * Sweep.Rounds);

    [Fact]
    public void A_batch_takes_only_what_can_be_read_back()
    {
        using var batch = new ChunkBatch();
        Assert.Throws<ArgumentException>(() => batch.Add("1"u8, ChunkForm.Json, [1, 5, 0, 0, 0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add("1"u8, (ChunkForm)4));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add("1"u8, ChunkForm.Json, timestamp: -1));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void Plain_chunks_around_a_special_one_stay_plain()
    {
        using var batch = new ChunkBatch();
        var id = new ArrayBufferWriter<byte>();
        ChunkAttributes.WritePartId(id, "part"u8);
        for (var i = 0; i < 100; i++) batch.Add("1"u8);
        batch.Add("hello"u8, ChunkForm.Text, id.WrittenSpan, 5);
        for (var i = 0; i < 100; i++) batch.Add("2"u8);
        using var builder = new RecordBuilder();
        builder.Begin(new StreamHead());
        Assert.Null(builder.Admit(batch, LogNode.NoLimits, DateTimeOffset.UnixEpoch.AddSeconds(1), out _, out _));
        Assert.True(LogRecord.TryParse(builder.Finish(1, null).ToArray(), 1, out var record, out var fault), fault);
        for (var i = 0; i < record.Count; i++)
        {
            Assert.Equal(i == 100 ? "hello" : i < 100 ? "1" : "2", System.Text.Encoding.UTF8.GetString(record.Chunk(i).Span));
            Assert.Equal(i == 100 ? ChunkForm.Text : ChunkForm.Json, record.FormOf(i));
            Assert.Equal(i == 100 ? "part"u8 : default, record.AttributesOf(i).PartId);
            Assert.Equal(1000, record.TimestampOf(i)); // Its own is before the stream's last.
        }
        Assert.Equal(batch.Length, record.TotalBytes);
    }
}
