using System.Buffers;
using System.IO.Compression;
using System.Text;
using CsCheck;
using RealtimeStreams.Dialects.S2.Wire;
using ZstdSharp;

namespace RealtimeStreams.Dialects.S2.Tests.Wire;

public sealed class FrameTests
{
    private const byte Zstd = 0x20;
    private const byte Gzip = 0x40;

    [Fact]
    public void The_contracts_examples_are_written_so()
    {
        var ack = new ArrayBufferWriter<byte>();
        Frame.WriteHeader(ack, 5);
        Assert.Equal([0x00, 0x00, 0x06, 0x00], ack.WrittenSpan.ToArray());

        var terminal = new ArrayBufferWriter<byte>();
        Frame.WriteTerminal(terminal, S2Error.SeqNumMismatch(2));
        Assert.Equal([0x00, 0x00, 0x19, 0x80, 0x01, 0x9c, .. "{\"seq_num_mismatch\":2}"u8], terminal.WrittenSpan.ToArray());
    }

    [Fact]
    public void Frames_are_found_however_their_bytes_are_cut() =>
        Gen.Select(Gen.Byte.Array[0, 300].Array[0, 8], Gen.Int[1, 40]).Sample((payloads, cut) =>
        {
            var wire = new ArrayBufferWriter<byte>();
            foreach (var payload in payloads)
            {
                Frame.WriteHeader(wire, payload.Length);
                wire.Write(payload);
            }

            var found = new List<byte[]>();
            var buffer = Cut(wire.WrittenSpan.ToArray(), cut);
            while (Frame.TryRead(ref buffer, out var flags, out var payload, out var error))
            {
                Assert.Equal(FrameFlags.None, flags);
                found.Add(payload.ToArray());
            }

            return buffer.IsEmpty && payloads.Length == found.Count && payloads.Zip(found).All(pair => pair.First.SequenceEqual(pair.Second));
        });

    [Fact]
    public void Half_a_frame_is_no_frame_and_no_error() =>
        Gen.Byte.Array[0, 40].Sample(payload =>
        {
            var wire = new ArrayBufferWriter<byte>();
            Frame.WriteHeader(wire, payload.Length);
            wire.Write(payload);
            for (var length = 0; length < wire.WrittenCount; length++)
            {
                var buffer = new ReadOnlySequence<byte>(wire.WrittenMemory[..length]);
                if (Frame.TryRead(ref buffer, out _, out _, out var error) || error is not null || buffer.Length != length) return false;
            }
            return true;
        });

    [Theory]
    [InlineData(new byte[] { 0x00, 0x00, 0x00 }, "length of 0")]
    [InlineData(new byte[] { 0x20, 0x00, 0x01 }, "2097153")]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF }, "16777215")]
    [InlineData(new byte[] { 0x00, 0x00, 0x02, 0x60 }, "0x60")]
    [InlineData(new byte[] { 0x00, 0x00, 0x02, 0x80 }, "terminal")]
    public void What_can_be_no_frame_is_refused_before_its_payload_has_come(byte[] bytes, string reason)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);

        Assert.False(Frame.TryRead(ref buffer, out _, out _, out var error));

        Assert.Equal((400, "bad_frame"), (error!.Status, error.Code));
        Assert.Contains(reason, Encoding.UTF8.GetString(error.Body.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void Payloads_come_out_as_they_were_whatever_their_compression_and_cut() =>
        Gen.Select(Gen.Byte.Array[1, 2000], Gen.Int[1, 500]).Sample((payload, cut) =>
        {
            using var open = new FramePayload();
            return Opens(open, 0, payload, payload, cut) && Opens(open, Gzip, GzipOf(payload), payload, cut) && Opens(open, Zstd, ZstdOf(payload), payload, cut);
        }, iter: 200);

    [Fact]
    public void The_largest_payload_fits_compressed_too()
    {
        using var open = new FramePayload();
        var largest = new byte[Frame.MaxPayload];

        Assert.True(Opens(open, Gzip, GzipOf(largest), largest, 1000));
        Assert.True(Opens(open, Zstd, ZstdOf(largest), largest, 1000));
    }

    [Theory]
    [InlineData(Gzip)]
    [InlineData(Zstd)]
    public void More_behind_a_compression_than_a_frame_may_have_is_refused(byte flags)
    {
        foreach (var size in (int[])[Frame.MaxPayload + 1, 100_000_000])
        {
            var bomb = flags == Gzip ? GzipOf(new byte[size]) : ZstdOf(new byte[size]);
            Assert.True(bomb.Length < Frame.MaxPayload);
            using var open = new FramePayload();
            var error = open.Open((FrameFlags)flags, new ReadOnlySequence<byte>(bomb), out var bytes);
            Assert.Equal("bad_frame", error?.Code);
            Assert.True(bytes.IsEmpty);
        }
    }

    [Theory]
    [InlineData(Gzip)]
    [InlineData(Zstd)]
    public void What_is_not_compressed_as_it_says_is_refused(byte flags)
    {
        var payload = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("all the same ", 100)));
        var good = flags == Gzip ? GzipOf(payload) : ZstdOf(payload);
        byte[][] bad = [[], [1, 2, 3], payload, good[..^9], good[..(good.Length / 2)], flags == Gzip ? ZstdOf(payload) : GzipOf(payload)];
        foreach (var bytes in bad)
        {
            using var open = new FramePayload();
            Assert.Equal("bad_frame", open.Open((FrameFlags)flags, new ReadOnlySequence<byte>(bytes), out _)?.Code);
        }
    }

    private static bool Opens(FramePayload open, byte flags, byte[] compressed, byte[] expected, int cut) =>
        open.Open((FrameFlags)flags, Cut(compressed, cut), out var bytes) is null && bytes.SequenceEqual(expected);

    private static byte[] GzipOf(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest)) gzip.Write(bytes);
        return output.ToArray();
    }

    private static byte[] ZstdOf(byte[] bytes)
    {
        using var zstd = new Compressor();
        return zstd.Wrap(bytes).ToArray();
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, int size)
    {
        var first = new Piece(bytes.AsMemory(0, Math.Min(size, bytes.Length)), null);
        var last = first;
        for (var at = size; at < bytes.Length; at += size) last = new Piece(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)), last);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
