using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>One to many chunks that were stored in one step; possibly none, when it only ends the stream or tells what expired. Immutable and shared.</summary>
public sealed class LogRecord
{
    private readonly byte[] message;
    private readonly RecordParts parts;
    private readonly Lock framedGate = new();
    private (IRecordFraming Framing, FramedRecord Framed)[] framed = [];

    private LogRecord(byte[] message, ulong sequence, RecordParts parts)
    {
        this.message = message;
        this.parts = parts;
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

    /// <summary>The bytes of all the stream's chunks before this record.</summary>
    internal long BytesBefore => TotalBytes - (message.Length - parts.BodyAt);

    /// <summary>The JetStream sequence under which the record is stored.</summary>
    internal ulong Sequence { get; }

    internal ulong Nonce => BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(32));

    internal ulong LastKeyedSequence => BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(40));

    internal DateTimeOffset Time => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(24)));

    /// <summary>When the last chunk was admitted; of a record without chunks its end, or where it only tells what expired, the last record before.</summary>
    internal DateTimeOffset LastAdmittedAt => Count == 0 ? Time : AdmittedAt(Count - 1);

    /// <summary>The timestamp of the stream's last chunk as of this record, Unix milliseconds; 0: there is none.</summary>
    public long LastTimestamp => Count > 0 ? TimestampOf(Count - 1)
        : HasState ? RecordExtras.ReadLastTimestamp(StateContent)
        : NextIndex == ChunkIndex.Zero ? 0 : Time.ToUnixTimeMilliseconds();

    /// <summary>The timestamp of the first chunk; of a record without chunks that of the stream's last.</summary>
    internal long FirstTimestamp => Count > 0 ? TimestampOf(0) : LastTimestamp;

    /// <summary>The stream's trim point as of this record.</summary>
    internal ChunkIndex TrimPoint => HasState ? RecordExtras.ReadTrimPoint(StateContent) : ChunkIndex.Zero;

    /// <summary>What the stream is besides its chunks, as of this record.</summary>
    internal StreamState State => HasState
        ? new StreamState(TrimPoint, RecordExtras.ReadLastTimestamp(StateContent), RecordExtras.ReadToken(StateContent))
        : StreamState.Empty with { LastTimestamp = LastTimestamp };

    /// <summary>A chunk's bytes as they were written; see <see cref="FormOf"/> for what they are.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public ReadOnlyMemory<byte> Chunk(int position)
    {
        var stored = Stored(position);
        return Entry(position)[7] is var kind and not 0 ? stored[ChunkKind.SizeOfAttributes(kind, stored.Span)..] : stored;
    }

    /// <summary>What a chunk's bytes are. Those of the form <see cref="ChunkForm.Json"/> may be written out as they are.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public ChunkForm FormOf(int position) => ChunkKind.FormOf(Entry(position)[7]);

    /// <summary>What was stored beside a chunk. Valid as long as the record.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public ChunkAttributes AttributesOf(int position)
    {
        var stored = Stored(position).Span;
        return ChunkKind.SizeOfAttributes(Entry(position)[7], stored) is var size and not 0
            ? ChunkAttributes.Checked(stored[ChunkKind.LengthBytes..size])
            : default;
    }

    /// <summary>Writes a chunk as one line of JSON, whatever its form.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    /// <param name="output">Where to.</param>
    public void WriteJson(int position, IBufferWriter<byte> output)
    {
        var kind = Entry(position)[7];
        var stored = Stored(position).Span;
        if (kind == 0) output.Write(stored);
        else ChunkForms.WriteJson(ChunkKind.FormOf(kind), stored[ChunkKind.SizeOfAttributes(kind, stored)..], output);
    }

    /// <summary>A chunk's timestamp, Unix milliseconds: when it was admitted, unless its writer gave one or that would be before the chunk's before it.</summary>
    /// <param name="position">0 to <see cref="Count"/> - 1.</param>
    public long TimestampOf(int position)
    {
        var entry = Entry(position);
        var extras = message.AsSpan(parts.ExtrasAt..parts.BodyAt);
        while (extras.Length > 0 && extras[0] is RecordLayout.ExtraState or RecordLayout.ExtraTimestamps) // They come before all others.
        {
            var (type, first, count) = RecordExtras.Read(extras, out var content);
            if (type == RecordLayout.ExtraTimestamps && position >= first && position < first + count)
                return BinaryPrimitives.ReadInt64LittleEndian(content.Length == sizeof(long) ? content : content[((position - first) * sizeof(long))..]);
            extras = extras[(RecordLayout.ExtraBytes + content.Length)..];
        }
        return BinaryPrimitives.ReadInt64LittleEndian(message.AsSpan(24)) + BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]);
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
        fault = RecordParts.TryFind(message, out var parts);
        if (fault is not null) return false;
        record = new LogRecord(message, sequence, parts);
        return true;
    }

    internal IEnumerable<ProducerState> Producers()
    {
        var at = RecordLayout.FixedBytes;
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

    /// <summary>The idempotency keys of the record's batches, with the positions of the chunks that each stands for.</summary>
    internal IEnumerable<(string Key, int First, int Count)> IdempotencyKeys()
    {
        var at = parts.ExtrasAt;
        while (at < parts.BodyAt)
        {
            var (type, first, count) = RecordExtras.Read(message.AsSpan(at), out var content);
            var text = type == RecordLayout.ExtraIdempotencyKey ? Encoding.UTF8.GetString(content) : null;
            at += RecordLayout.ExtraBytes + content.Length;
            if (text is not null) yield return (text, first, count);
        }
    }

    /// <summary>The full address, when the subject holds only a digest of it.</summary>
    internal string? Address => parts.AddressAt == parts.ExtrasAt ? null : Encoding.UTF8.GetString(message, parts.AddressAt, parts.ExtrasAt - parts.AddressAt);

    private bool HasState => parts.ExtrasAt < parts.BodyAt && message[parts.ExtrasAt] == RecordLayout.ExtraState;

    private ReadOnlySpan<byte> StateContent
    {
        get
        {
            RecordExtras.Read(message.AsSpan(parts.ExtrasAt), out var content);
            return content;
        }
    }

    private ReadOnlySpan<byte> Entry(int position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)position, (uint)Count, nameof(position));
        return message.AsSpan(parts.ChunksAt + position * RecordLayout.ChunkBytes, RecordLayout.ChunkBytes);
    }

    /// <summary>A chunk's bytes behind its attributes.</summary>
    private ReadOnlyMemory<byte> Stored(int position)
    {
        var start = position == 0 ? 0 : EndOf(position - 1);
        return message.AsMemory(parts.BodyAt + start, EndOf(position) - start);
    }

    private int EndOf(int position) => BinaryPrimitives.ReadInt32LittleEndian(Entry(position));
}
