using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>One to many chunks that were stored in one step; possibly none, when it only ends the stream. Immutable and shared.</summary>
public sealed class LogRecord
{
    private readonly byte[] message;
    private readonly int producersAt;
    private readonly int chunksAt;
    private readonly int addressAt;
    private readonly int extrasAt;
    private readonly int bodyAt;
    private readonly Lock framedGate = new();
    private (IRecordFraming Framing, FramedRecord Framed)[] framed = [];

    private LogRecord(byte[] message, ulong sequence, int chunksAt, int addressAt, int extrasAt, int bodyAt)
    {
        this.message = message;
        this.chunksAt = chunksAt;
        this.addressAt = addressAt;
        this.extrasAt = extrasAt;
        this.bodyAt = bodyAt;
        producersAt = RecordLayout.FixedBytes;
        Sequence = sequence;
        Count = BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(4));
        FirstIndex = new ChunkIndex(BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(8)));
    }

    /// <summary>The index of the first chunk; for a record without chunks the index that the next would have had.</summary>
    public ChunkIndex FirstIndex { get; }

    /// <summary>How many chunks there are.</summary>
    public int Count { get; }

    /// <summary>The index after the last chunk.</summary>
    public ChunkIndex NextIndex => FirstIndex.Plus(Count);

    /// <summary>How the stream ended with this record; null when it did not.</summary>
    public Outcome? End => ((RecordLayout.Flags)message[1] & RecordLayout.Flags.End) != 0 ? (Outcome)message[2] : null;

    /// <summary>The bytes of all the stream's chunks up to and with this record.</summary>
    public long TotalBytes => BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(16));

    /// <summary>The record's size in memory, without its framed forms.</summary>
    internal int Length => message.Length;

    /// <summary>The JetStream sequence under which the record is stored.</summary>
    internal ulong Sequence { get; }

    internal ulong Nonce => BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(32));

    internal ulong LastKeyedSequence => BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(40));

    internal DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(24)));

    /// <summary>A chunk's bytes: one line of JSON.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public ReadOnlyMemory<byte> Chunk(int position)
    {
        var start = position == 0 ? 0 : EndOf(position - 1);
        return message.AsMemory(bodyAt + start, EndOf(position) - start);
    }

    /// <summary>When a chunk was admitted.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public DateTimeOffset AdmittedAt(int position) =>
        Time.AddMilliseconds(BinaryPrimitives.ReadUInt16LittleEndian(Entry(position)[4..]));

    /// <summary>Who wrote a chunk; null when it came without a producer.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public ProducerId? ProducerOf(int position)
    {
        var slot = Entry(position)[6];
        if (slot == RecordLayout.NoProducer) return null;
        foreach (var producer in Producers())
            if (slot-- == 0) return producer.Id;
        return null;
    }

    /// <summary>The chunks in a dialect's framing. Made once for all readers of the dialect.</summary>
    public FramedRecord Framed(IRecordFraming framing)
    {
        foreach (var (key, value) in Volatile.Read(ref framed))
            if (ReferenceEquals(key, framing)) return value;
        lock (framedGate)
        {
            foreach (var (key, value) in framed)
                if (ReferenceEquals(key, framing)) return value;
            var made = FramedRecord.Of(this, framing);
            Volatile.Write(ref framed, [.. framed, (framing, made)]);
            return made;
        }
    }

    /// <summary>Reads a record out of a message's body, checking all of it.</summary>
    /// <param name="message">The body. The record keeps the array.</param>
    /// <param name="sequence">The message's JetStream sequence.</param>
    /// <param name="record">The record.</param>
    /// <param name="fault">What is wrong with it.</param>
    internal static bool TryParse(
        byte[] message, ulong sequence, [NotNullWhen(true)] out LogRecord? record, [NotNullWhen(false)] out string? fault)
    {
        record = null;
        fault = FindFault(message, out var chunksAt, out var addressAt, out var extrasAt, out var bodyAt);
        if (fault is not null) return false;
        record = new LogRecord(message, sequence, chunksAt, addressAt, extrasAt, bodyAt);
        return true;
    }

    internal IEnumerable<ProducerState> Producers()
    {
        var at = producersAt;
        for (int i = 0, count = message[3]; i < count; i++)
        {
            int length = message[at++];
            var id = ProducerId.Parse(Encoding.UTF8.GetString(message, at, length));
            at += length;
            yield return new ProducerState(
                id,
                BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)),
                BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(at + 4)),
                new ChunkIndex(BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(at + 12))));
            at += 20;
        }
    }

    /// <summary>The idempotency keys of the record's batches, with the chunks that each stands for.</summary>
    internal IEnumerable<(string Key, ChunkIndex First, int Count)> IdempotencyKeys()
    {
        var at = extrasAt;
        while (at < bodyAt)
        {
            var type = message[at];
            int first = BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(at + 1));
            int count = BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(at + 3));
            int length = BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(at + 5));
            at += RecordLayout.ExtraBytes;
            if (type == RecordLayout.ExtraIdempotencyKey)
                yield return (Encoding.UTF8.GetString(message, at, length), FirstIndex.Plus(first), count);
            at += length;
        }
    }

    /// <summary>The full address, when the subject holds only a digest of it.</summary>
    internal string? Address => addressAt == extrasAt ? null : Encoding.UTF8.GetString(message, addressAt, extrasAt - addressAt);

    private ReadOnlySpan<byte> Entry(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Count, nameof(position));
        return message.AsSpan(chunksAt + position * RecordLayout.ChunkBytes, RecordLayout.ChunkBytes);
    }

    private int EndOf(int position) => BinaryPrimitives.ReadInt32LittleEndian(Entry(position));

    private static string? FindFault(ReadOnlySpan<byte> message, out int chunksAt, out int addressAt, out int extrasAt, out int bodyAt)
    {
        chunksAt = addressAt = extrasAt = bodyAt = 0;
        if (message.Length < RecordLayout.FixedBytes) return "it is shorter than a record's fixed part";
        if (message[0] != RecordLayout.Version) return "its version is not 1";
        var flags = (RecordLayout.Flags)message[1];
        if ((flags & ~RecordLayout.Flags.End) != 0) return "it has unknown flags";
        if (flags.HasFlag(RecordLayout.Flags.End) != message[2] is >= (byte)Outcome.Completed and <= (byte)Outcome.Abandoned)
            return "its end and its outcome do not fit";
        if (message[3] > RecordLayout.MaxProducers) return "it has too many producers";
        int count = BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);
        if (count > ChunkBatch.MaxCount) return "it has too many chunks";
        if (count == 0 && !flags.HasFlag(RecordLayout.Flags.End)) return "it has neither chunks nor an end";
        var first = BinaryPrimitives.ReadInt64LittleEndian(message[8..]);
        if (first < 0 || first > long.MaxValue - count) return "its first index is out of range";
        if (BinaryPrimitives.ReadInt64LittleEndian(message[16..]) < 0) return "its total of bytes is out of range";
        var time = BinaryPrimitives.ReadInt64LittleEndian(message[24..]);
        if (time is < 0 or > 253_402_300_000_000) return "its time is out of range";
        var addressBytes = BinaryPrimitives.ReadUInt32LittleEndian(message[48..]);
        var extrasBytes = BinaryPrimitives.ReadUInt32LittleEndian(message[52..]);

        var at = RecordLayout.FixedBytes;
        for (int i = 0, producers = message[3]; i < producers; i++)
        {
            if (at >= message.Length) return "its producers are cut off";
            int length = message[at];
            if (message.Length - at < RecordLayout.ProducerBytes + length) return "its producers are cut off";
            if (!IsProducerId(message.Slice(at + 1, length))) return "a producer's id is not one";
            at += RecordLayout.ProducerBytes + length;
        }
        chunksAt = at;
        var rest = (long)message.Length - at - (long)count * RecordLayout.ChunkBytes;
        if (rest < 0 || rest < (long)addressBytes + extrasBytes) return "it is cut off";
        addressAt = chunksAt + count * RecordLayout.ChunkBytes;
        extrasAt = addressAt + (int)addressBytes;
        bodyAt = extrasAt + (int)extrasBytes;
        return FindFaultInChunks(message[chunksAt..addressAt], message.Length - bodyAt) ?? FindFaultInExtras(message[extrasAt..bodyAt], count);
    }

    private static bool IsProducerId(ReadOnlySpan<byte> utf8)
    {
        Span<char> text = stackalloc char[255];
        return System.Text.Unicode.Utf8.ToUtf16(utf8, text, out _, out var length, replaceInvalidSequences: false) == OperationStatus.Done
            && ProducerId.FindFault(new string(text[..length])) is null;
    }

    private static string? FindFaultInChunks(ReadOnlySpan<byte> entries, int bodyBytes)
    {
        long before = 0;
        for (; entries.Length > 0; entries = entries[RecordLayout.ChunkBytes..])
        {
            long end = BinaryPrimitives.ReadUInt32LittleEndian(entries);
            if (end < before || end > bodyBytes) return "a chunk's end is out of range";
            before = end;
        }
        return before == bodyBytes ? null : "its chunks do not fill it";
    }

    private static string? FindFaultInExtras(ReadOnlySpan<byte> extras, int count)
    {
        while (extras.Length > 0)
        {
            if (extras.Length < RecordLayout.ExtraBytes) return "its extras are cut off";
            int first = BinaryPrimitives.ReadUInt16LittleEndian(extras[1..]);
            int chunks = BinaryPrimitives.ReadUInt16LittleEndian(extras[3..]);
            int length = BinaryPrimitives.ReadUInt16LittleEndian(extras[5..]);
            if (first + chunks > count) return "an extra stands for chunks that are not there";
            if (extras.Length < RecordLayout.ExtraBytes + length) return "its extras are cut off";
            extras = extras[(RecordLayout.ExtraBytes + length)..];
        }
        return null;
    }
}
