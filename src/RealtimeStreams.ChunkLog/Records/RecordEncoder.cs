using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Writes staged records, one after the other, into memory that it keeps. <see cref="RecordLayout"/> says how.</summary>
internal sealed class RecordEncoder
{
    private readonly List<TimestampRun> runs = [];
    private readonly List<long> timestamps = [];
    private byte[] buffer = [];

    /// <summary>A record's bytes, valid until the next one.</summary>
    /// <param name="staged">The record.</param>
    /// <param name="nonce">Tells it from any other.</param>
    /// <param name="address">The full address, when the subject holds a digest.</param>
    public ReadOnlyMemory<byte> Encode(StagedRecord staged, ulong nonce, string? address)
    {
        FindExceptions(staged);
        var hasState = staged.State.TrimPoint > ChunkIndex.Zero || staged.State.FencingToken.Length > 0 || (staged.Chunks == 0 && staged.State.LastTimestamp > 0);
        var addressBytes = address is null ? 0 : Encoding.UTF8.GetByteCount(address);
        var extrasBytes = hasState ? RecordExtras.SizeOfState(staged.State) : 0;
        foreach (var run in runs) extrasBytes += run.Size;
        foreach (var key in staged.Keys) extrasBytes += RecordExtras.SizeOfKey(key.Key);
        var producerBytes = 0;
        foreach (var producer in staged.Producers.Entries) producerBytes += RecordLayout.ProducerBytes + Encoding.UTF8.GetByteCount(producer.Id.Value);
        var size = RecordLayout.FixedBytes + producerBytes + staged.Chunks * RecordLayout.ChunkBytes + addressBytes + extrasBytes + staged.Bytes;
        if (buffer.Length < size)
        {
            Release();
            buffer = ArrayPool<byte>.Shared.Rent(size);
        }

        var output = buffer.AsSpan(0, size);
        WriteFixed(output, staged, nonce, addressBytes, extrasBytes);
        var at = RecordLayout.FixedBytes;
        foreach (var producer in staged.Producers.Entries) at += WriteProducer(output[at..], producer);
        at += WriteChunks(output[at..], staged);
        if (address is not null) at += Encoding.UTF8.GetBytes(address, output[at..]);
        if (hasState) at += RecordExtras.WriteState(output[at..], staged.State);
        at += WriteTimestamps(output[at..]);
        foreach (var key in staged.Keys) at += RecordExtras.WriteKey(output[at..], key.Key, key.FirstChunk, key.Count);
        foreach (ref readonly var batch in CollectionsMarshal.AsSpan(staged.Batches))
        {
            var bytes = batch.Batch.Bytes[batch.Start..];
            bytes.CopyTo(output[at..]);
            at += bytes.Length;
        }
        return buffer.AsMemory(0, size);
    }

    /// <summary>Gives the memory back until the next record.</summary>
    public void Release()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    /// <summary>Finds the chunks whose timestamps are not what their times of admission say.</summary>
    private void FindExceptions(StagedRecord staged)
    {
        runs.Clear();
        timestamps.Clear();
        var position = 0;
        foreach (ref readonly var batch in CollectionsMarshal.AsSpan(staged.Batches))
        {
            var count = batch.Batch.Count - batch.Skip;
            if (!batch.Batch.Timestamps.IsEmpty) AddEach(batch, position, count);
            else if (batch.FirstTimestamp != staged.Time + DelayOf(batch, staged.Time)) AddCommon(batch.FirstTimestamp, position, count);
            position += count;
        }
    }

    private void AddEach(in StagedBatch batch, int position, int count)
    {
        var last = batch.Timestamps.Before;
        for (var i = batch.Skip; i < batch.Batch.Count; i++)
        {
            last = batch.Timestamps.Next(batch.Batch, i, last);
            timestamps.Add(last);
        }
        runs.Add(new TimestampRun(position, count, count));
    }

    // Appends from clocks that differ come in turns: those raised to the same time, one after the other, are one run.
    private void AddCommon(long timestamp, int position, int count)
    {
        if (runs.Count > 0 && runs[^1] is { Values: 1 } before && before.First + before.Count == position && timestamps[^1] == timestamp)
        {
            runs[^1] = before with { Count = before.Count + count };
            return;
        }
        timestamps.Add(timestamp);
        runs.Add(new TimestampRun(position, count, 1));
    }

    private int WriteTimestamps(Span<byte> output)
    {
        var at = 0;
        var values = CollectionsMarshal.AsSpan(timestamps);
        foreach (var run in runs)
        {
            at += RecordExtras.WriteTimestamps(output[at..], run, values);
            values = values[run.Values..];
        }
        return at;
    }

    private static void WriteFixed(Span<byte> output, StagedRecord staged, ulong nonce, int addressBytes, int extrasBytes)
    {
        output[0] = RecordLayout.Version;
        output[1] = (byte)(staged.End is null ? RecordLayout.Flags.None : RecordLayout.Flags.End);
        output[2] = (byte)(staged.End ?? 0);
        output[3] = (byte)staged.Producers.Count;
        BinaryPrimitives.WriteUInt16LittleEndian(output[4..], (ushort)staged.Chunks);
        BinaryPrimitives.WriteUInt16LittleEndian(output[6..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(output[8..], staged.Head.NextIndex.Value);
        BinaryPrimitives.WriteInt64LittleEndian(output[16..], staged.TotalBytes);
        BinaryPrimitives.WriteInt64LittleEndian(output[24..], staged.Time);
        BinaryPrimitives.WriteUInt64LittleEndian(output[32..], nonce);
        BinaryPrimitives.WriteUInt64LittleEndian(output[40..], staged.Head.LastKeyedSequence);
        BinaryPrimitives.WriteInt32LittleEndian(output[48..], addressBytes);
        BinaryPrimitives.WriteInt32LittleEndian(output[52..], extrasBytes);
    }

    private static int WriteProducer(Span<byte> output, ProducerState producer)
    {
        var length = Encoding.UTF8.GetBytes(producer.Id.Value, output[1..]);
        output[0] = (byte)length;
        var rest = output[(1 + length)..];
        BinaryPrimitives.WriteUInt32LittleEndian(rest, producer.Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(rest[4..], producer.LastSequence);
        BinaryPrimitives.WriteInt64LittleEndian(rest[12..], producer.LastIndex.Value);
        return RecordLayout.ProducerBytes + length;
    }

    private static int WriteChunks(Span<byte> output, StagedRecord staged)
    {
        var at = 0;
        var start = 0;
        foreach (ref readonly var batch in CollectionsMarshal.AsSpan(staged.Batches))
        {
            // An entry as one number: delay, producer and kind are behind the end.
            var rest = ((ulong)DelayOf(batch, staged.Time) << 32) | ((ulong)SlotOf(batch.Batch.Producer, staged.Producers) << 48);
            var shift = start - batch.Start;
            var ends = batch.Batch.Ends[batch.Skip..];
            var kinds = batch.Batch.Kinds is { IsEmpty: false } all ? all[batch.Skip..] : default;
            for (var i = 0; i < ends.Length; i++)
            {
                var kind = kinds.IsEmpty ? 0 : (ulong)kinds[i] << 56;
                BinaryPrimitives.WriteUInt64LittleEndian(output[at..], rest | kind | (uint)(ends[i] + shift));
                at += RecordLayout.ChunkBytes;
            }
            start = shift + batch.Batch.Length;
        }
        return at;
    }

    private static ushort DelayOf(in StagedBatch batch, long time) => (ushort)Math.Clamp(batch.Timestamps.Arrival - time, 0, ushort.MaxValue);

    private static byte SlotOf(ProducerId? producer, ProducerTable producers)
    {
        if (producer is not { } id) return RecordLayout.NoProducer;
        for (var i = 0; i < producers.Count; i++)
            if (producers.Entries[i].Id == id) return (byte)i;
        return RecordLayout.NoProducer; // More than 64 producers wrote in this one record.
    }
}
