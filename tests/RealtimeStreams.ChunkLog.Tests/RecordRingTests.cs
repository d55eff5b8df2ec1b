using CsCheck;
using RealtimeStreams.ChunkLog.Following;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class RecordRingTests(ITestOutputHelper output)
{
    /// <summary>A record every so often with a hole before it, of so many chunks of so many bytes.</summary>
    private static readonly Gen<(bool Hole, int Count, int Size, bool Tight)[]> Records = Gen.Select(
        Gen.Int[0, 30].Select(n => n == 0), Gen.Int[1, 20], Gen.Frequency((5, Gen.Int[0, 100]), (2, Gen.Int[1_000, 8_000]), (1, Gen.Int[300_000, 400_000])), Gen.Int[0, 40].Select(n => n == 0))
        .Select((hole, count, size, tight) => (hole, size > 100_000 ? 1 : count, size, tight)).Array[1, 120];

    [Fact]
    public void A_ring_holds_the_newest_records_without_a_hole_within_its_bound() => Records.Sample(
        records =>
        {
            var ring = new RecordRing();
            var next = ChunkIndex.Zero;
            var hole = ChunkIndex.Zero;
            foreach (var one in records)
            {
                if (one.Hole) hole = next = next.Plus(7);
                var record = Make(next, one.Count, one.Size);
                ring.Add(record, one.Tight);
                next = record.NextIndex;

                Assert.Same(record, ring.Find(record.FirstIndex)); // The newest is always there.
                Assert.Null(ring.Find(next));
                // Backwards from the newest all are there, down to one from which on none is.
                var held = 0;
                var oldest = next;
                for (var index = next.Value - 1; index >= 0 && ring.Find(new ChunkIndex(index)) is { } found; index = found.FirstIndex.Value - 1)
                {
                    Assert.InRange(index, found.FirstIndex.Value, found.NextIndex.Value - 1);
                    held += 2 * found.Length;
                    oldest = found.FirstIndex;
                }
                Assert.True(oldest >= hole, $"{oldest} from before the hole at {hole} is still there.");
                if (oldest.Value > 0) Assert.Null(ring.Find(new ChunkIndex(oldest.Value - 1)));
                Assert.Equal(held, ring.Bytes);
                Assert.True(held <= 512 * 1024 || oldest == record.FirstIndex, $"{held} bytes are held.");
                if (one.Tight) Assert.Equal(record.FirstIndex, oldest);
            }
            ring.Clear();
            Assert.Equal(0, ring.Bytes);
            Assert.Null(ring.Find(new ChunkIndex(next.Value - 1)));
        },
        output.WriteLine,
        iter: 100 * Sweep.Rounds);

    private static LogRecord Make(ChunkIndex first, int count, int size)
    {
        var head = new StreamHead();
        head.Advance(1, first, 0, null, DateTimeOffset.UnixEpoch, StreamState.Empty, new ProducerTable(), hasKeys: false);
        using var builder = new RecordBuilder();
        using var batch = new ChunkBatch();
        for (var i = 0; i < count; i++) batch.Add(new byte[size]);
        builder.Begin(head);
        Assert.Null(builder.Admit(batch, LogNode.NoLimits, DateTimeOffset.UnixEpoch, out _, out _));
        Assert.True(LogRecord.TryParse(builder.Finish(1, null).ToArray(), 2, out var record, out var fault), fault);
        return record;
    }
}
