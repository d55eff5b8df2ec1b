using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Admits batches against a stream's head and packs those that fit into the next record.</summary>
/// <remarks>Belongs to one appender and is used for one record after the other. What is staged becomes the head by <see cref="CommitTo"/> only.</remarks>
internal sealed class RecordBuilder : IDisposable
{
    private readonly ProducerTable producers = new();
    private readonly List<Packed> packed = [];
    private readonly List<(string Key, int FirstChunk, int Count)> keys = [];
    private byte[] buffer = [];
    private StreamHead head = new();
    private DateTimeOffset time;
    private long totalBytes;
    private int chunks;
    private int bytes;
    private int keyBytes;
    private Outcome? end;

    /// <summary>Whether there is anything to store.</summary>
    public bool IsEmpty => chunks == 0 && end is null;

    /// <summary>How many chunks the record will have.</summary>
    public int Chunks => chunks;

    public ChunkIndex NextIndex => head.NextIndex.Plus(chunks);

    /// <summary>Starts a record on top of <paramref name="head"/>.</summary>
    public void Begin(StreamHead head)
    {
        this.head = head;
        producers.CopyFrom(head.Producers);
        packed.Clear();
        keys.Clear();
        totalBytes = head.TotalBytes;
        chunks = bytes = keyBytes = 0;
        end = null;
    }

    /// <summary>Whether a batch can still join the record.</summary>
    public bool HasRoomFor(ChunkBatch? batch) =>
        end is null
        && (batch is null
            || chunks == 0
            || (chunks + batch.Count <= ChunkBatch.MaxCount && bytes + keyBytes + batch.Length + SizeOf(batch.IdempotencyKey) <= RecordLayout.SoftBytes));

    /// <summary>
    /// Admits a batch. Null: it is in the record now, its first new chunk under index <paramref name="first"/>, after
    /// <paramref name="duplicates"/> that had been stored before. Otherwise what it came to without being stored.
    /// </summary>
    public AppendOutcome? Admit(ChunkBatch batch, StreamLimits limits, DateTimeOffset admittedAt, out ChunkIndex first, out int duplicates)
    {
        first = NextIndex;
        duplicates = 0;
        if (batch.IdempotencyKey is { } key && FindKey(key, admittedAt) is { } known) return known;
        if (AdmitSequence(batch, out duplicates) is { } settled) return settled;
        if ((end ?? head.End) is { } outcome) return Closed(outcome);

        var fresh = batch.Count - duplicates;
        var freshBytes = batch.Length - (duplicates == 0 ? 0 : batch.Ends[duplicates - 1]);
        if (NextIndex.Value + fresh > limits.MaxChunks)
            return Refused(ErrorCode.LimitReached, $"The stream holds {NextIndex} chunks; with {fresh} more it would exceed its limit of {limits.MaxChunks} chunks.");
        if (totalBytes + freshBytes > limits.MaxBytes)
            return Refused(ErrorCode.StreamFull, $"The stream holds {totalBytes} bytes; with {freshBytes} more it would exceed its limit of {limits.MaxBytes} bytes.");

        if (chunks == 0 || admittedAt < time) time = admittedAt;
        if (batch.Producer is { } producer)
            producers.Use(new ProducerState(producer, batch.Epoch, batch.FirstSequence + batch.Count - 1, NextIndex.Plus(fresh - 1)));
        if (batch.IdempotencyKey is not null) keys.Add((batch.IdempotencyKey, chunks, fresh));
        keyBytes += SizeOf(batch.IdempotencyKey);
        packed.Add(new Packed(batch, duplicates, admittedAt));
        chunks += fresh;
        bytes += freshBytes;
        totalBytes += freshBytes;
        return null;
    }

    /// <summary>Makes this the stream's last record.</summary>
    public void SetEnd(Outcome outcome, DateTimeOffset admittedAt)
    {
        if (chunks == 0) time = admittedAt;
        end = outcome;
    }

    /// <summary>The record's bytes, valid until the next <see cref="Begin"/>.</summary>
    /// <param name="nonce">Tells this record from any other.</param>
    /// <param name="address">The full address, when the subject holds a digest.</param>
    public ReadOnlyMemory<byte> Finish(ulong nonce, string? address)
    {
        var addressBytes = address is null ? 0 : Encoding.UTF8.GetByteCount(address);
        var extrasBytes = keyBytes;
        var producerBytes = 0;
        foreach (var producer in producers.Entries) producerBytes += RecordLayout.ProducerBytes + Encoding.UTF8.GetByteCount(producer.Id.Value);
        var size = RecordLayout.FixedBytes + producerBytes + chunks * RecordLayout.ChunkBytes + addressBytes + extrasBytes + bytes;
        if (buffer.Length < size)
        {
            if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(size);
        }

        var output = buffer.AsSpan(0, size);
        WriteFixed(output, nonce, addressBytes, extrasBytes);
        var at = RecordLayout.FixedBytes;
        foreach (var producer in producers.Entries) at += WriteProducer(output[at..], producer);
        at += WriteChunks(output[at..]);
        if (address is not null) at += Encoding.UTF8.GetBytes(address, output[at..]);
        foreach (var (key, firstChunk, count) in keys) at += WriteKey(output[at..], key, firstChunk, count);
        foreach (var (batch, skip, _) in packed)
        {
            var fresh = batch.Bytes[StartOf(batch, skip)..];
            fresh.CopyTo(output[at..]);
            at += fresh.Length;
        }
        return buffer.AsMemory(0, size);
    }

    /// <summary>Makes the staged record part of the head, once the broker has stored it.</summary>
    /// <param name="target">The head that the record was begun on.</param>
    /// <param name="sequence">The JetStream sequence that it got.</param>
    public void CommitTo(StreamHead target, ulong sequence)
    {
        var stored = DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds()); // As the record has it.
        foreach (var (key, firstChunk, count) in keys)
            target.Keys.Add(key, new IdempotencyTable.Entry(head.NextIndex.Plus(firstChunk), count, stored));
        target.Advance(sequence, NextIndex, totalBytes, end, producers, hasKeys: keys.Count > 0);
    }

    /// <summary>Gives the memory back until the next record: thousands of idle appenders would each keep the size of their largest.</summary>
    public void Release()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        packed.Clear();
    }

    public void Dispose() => Release();

    internal static AppendOutcome.Refused Closed(Outcome outcome) =>
        Refused(ErrorCode.StreamClosed, $"The stream has ended as {outcome.ToWord()}.");

    private static AppendOutcome.Refused Refused(ErrorCode code, FormattableString detail, long? expectedSequence = null) =>
        new(new Refusal(code, detail.ToString(CultureInfo.InvariantCulture)), expectedSequence);

    private AppendOutcome.Stored? FindKey(string key, DateTimeOffset now)
    {
        head.Keys.Forget(now - IdempotencyTable.Window);
        if (head.Keys.TryFind(key, out var known)) return Known(known.First, known.Count);
        foreach (var (staged, firstChunk, count) in keys)
            if (staged == key) return Known(head.NextIndex.Plus(firstChunk), count);
        return null;

        static AppendOutcome.Stored Known(ChunkIndex first, int count) => new(first, first.Plus(count), 0, count, null);
    }

    private AppendOutcome? AdmitSequence(ChunkBatch batch, out int duplicates)
    {
        duplicates = 0;
        if (batch.Producer is not { } producer) return null;
        var known = producers.TryFind(producer, out var state);
        if (known && batch.Epoch < state.Epoch)
            return Refused(ErrorCode.Fenced, $"The producer {producer} writes with epoch {state.Epoch} now; this request has epoch {batch.Epoch}.");

        var expected = known && batch.Epoch == state.Epoch ? state.LastSequence + 1 : 0;
        if (batch.FirstSequence > expected)
        {
            if (known) return Refused(ErrorCode.SequenceGap, $"The next chunk of producer {producer} must have sequence {expected}, not {batch.FirstSequence}.", expected);
            return head.Sequence == 0
                ? Refused(ErrorCode.StreamGone, $"Nothing is stored of this stream, so that producer {producer} cannot continue it at sequence {batch.FirstSequence}.")
                : Refused(ErrorCode.SequenceGap, $"The producer {producer} is not among the last {RecordLayout.MaxProducers} of this stream; a new producer starts at sequence 0, not {batch.FirstSequence}.", 0);
        }

        duplicates = (int)Math.Min(batch.Count, expected - batch.FirstSequence);
        if (duplicates < batch.Count) return null;
        // The place of the last chunk alone is remembered.
        var isLast = batch.FirstSequence + batch.Count == expected;
        ChunkIndex? first = isLast && batch.Count == 1 ? state.LastIndex : null;
        return new AppendOutcome.Stored(first, state.LastIndex.Next, 0, duplicates, expected);
    }

    private void WriteFixed(Span<byte> output, ulong nonce, int addressBytes, int extrasBytes)
    {
        output[0] = RecordLayout.Version;
        output[1] = (byte)(end is null ? RecordLayout.Flags.None : RecordLayout.Flags.End);
        output[2] = (byte)(end ?? 0);
        output[3] = (byte)producers.Count;
        BinaryPrimitives.WriteUInt16LittleEndian(output[4..], (ushort)chunks);
        BinaryPrimitives.WriteUInt16LittleEndian(output[6..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(output[8..], head.NextIndex.Value);
        BinaryPrimitives.WriteInt64LittleEndian(output[16..], totalBytes);
        BinaryPrimitives.WriteInt64LittleEndian(output[24..], time.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteUInt64LittleEndian(output[32..], nonce);
        BinaryPrimitives.WriteUInt64LittleEndian(output[40..], head.LastKeyedSequence);
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

    private int WriteChunks(Span<byte> output)
    {
        var at = 0;
        var start = 0;
        foreach (var (batch, skip, admittedAt) in packed)
        {
            var delay = (ushort)Math.Clamp((admittedAt - time).TotalMilliseconds, 0, ushort.MaxValue);
            var slot = SlotOf(batch.Producer);
            var shift = start - StartOf(batch, skip);
            foreach (var endOfChunk in batch.Ends[skip..])
            {
                BinaryPrimitives.WriteInt32LittleEndian(output[at..], endOfChunk + shift);
                BinaryPrimitives.WriteUInt16LittleEndian(output[(at + 4)..], delay);
                output[at + 6] = slot;
                output[at + 7] = 0;
                at += RecordLayout.ChunkBytes;
            }
            start = shift + batch.Length;
        }
        return at;
    }

    private byte SlotOf(ProducerId? producer)
    {
        if (producer is not { } id) return RecordLayout.NoProducer;
        for (var i = 0; i < producers.Count; i++)
            if (producers.Entries[i].Id == id) return (byte)i;
        return RecordLayout.NoProducer; // More than 64 producers wrote in this one record.
    }

    private static int WriteKey(Span<byte> output, string key, int firstChunk, int count)
    {
        var length = Encoding.UTF8.GetBytes(key, output[RecordLayout.ExtraBytes..]);
        output[0] = RecordLayout.ExtraIdempotencyKey;
        BinaryPrimitives.WriteUInt16LittleEndian(output[1..], (ushort)firstChunk);
        BinaryPrimitives.WriteUInt16LittleEndian(output[3..], (ushort)count);
        BinaryPrimitives.WriteUInt16LittleEndian(output[5..], (ushort)length);
        return RecordLayout.ExtraBytes + length;
    }

    private static int SizeOf(string? key) => key is null ? 0 : RecordLayout.ExtraBytes + Encoding.UTF8.GetByteCount(key);

    private static int StartOf(ChunkBatch batch, int position) => position == 0 ? 0 : batch.Ends[position - 1];

    private readonly record struct Packed(ChunkBatch Batch, int Skip, DateTimeOffset AdmittedAt);
}
