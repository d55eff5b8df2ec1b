using System.Buffers;
using System.Buffers.Binary;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>Chunks that are appended together, in one atomic step, by one producer. Lives on pooled memory.</summary>
/// <remarks>
/// Whoever fills it owns it until it is given to <see cref="IChunkLog"/>, which disposes it. Not for several threads at once.
/// </remarks>
public sealed class ChunkBatch : IBufferWriter<byte>, IDisposable
{
    /// <summary>The most chunks of a batch; a record of the log holds as many.</summary>
    public const int MaxCount = 1024;

    /// <summary>The most bytes of an idempotency key, in UTF-8.</summary>
    public const int MaxKeyBytes = 128;

    /// <summary>The most bytes of a fencing token, in UTF-8.</summary>
    public const int MaxTokenBytes = 36;

    /// <summary>Stands for a chunk without a timestamp of its own.</summary>
    internal const long NoTimestamp = -1;

    private byte[] bytes;
    private int[] ends;
    private byte[]? kinds; // Only once a chunk is not plain JSON, or has attributes.
    private long[]? timestamps; // Only once a chunk has one of its own.
    private int written;

    /// <summary>Makes an empty batch.</summary>
    /// <param name="capacity">The bytes that it will probably need.</param>
    public ChunkBatch(int capacity = 4096)
    {
        bytes = ArrayPool<byte>.Shared.Rent(capacity);
        ends = ArrayPool<int>.Shared.Rent(64);
    }

    /// <summary>Who writes; null: nobody who would retry, so that nothing is deduplicated.</summary>
    public ProducerId? Producer { get; init; }

    /// <summary>The producer's incarnation.</summary>
    public uint Epoch { get; init; }

    /// <summary>The producer's own number of the first chunk.</summary>
    public long FirstSequence { get; set; }

    /// <summary>Recognises a retry of the whole batch for ten minutes; at most <see cref="MaxKeyBytes"/> of UTF-8. Null: none.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>The index that the first of these chunks must get; null: whichever comes. Otherwise the batch is refused as <see cref="ErrorCode.IndexMismatch"/>.</summary>
    public long? ExpectedIndex { get; set; }

    /// <summary>
    /// The fencing token that the stream must have, empty for a stream that was never given one; null: any. Otherwise the batch is refused as
    /// <see cref="ErrorCode.FencingTokenMismatch"/>. Looked at before <see cref="ExpectedIndex"/>.
    /// </summary>
    public string? FencingToken { get; set; }

    /// <summary>The fencing token that the stream has after this batch; at most <see cref="MaxTokenBytes"/> of UTF-8. Null: as before.</summary>
    public string? NewFencingToken { get; set; }

    /// <summary>
    /// Gives up the chunks before an index, and the position in this batch of the chunk that says so: behind that chunk nothing is given up.
    /// A stream's trim point never moves back. Null: nothing is given up.
    /// </summary>
    public (long Index, int Position)? Trim { get; set; }

    /// <summary>Whether chunks may have timestamps of their own that are later than their arrival.</summary>
    public bool UncappedTimestamps { get; set; }

    /// <summary>How many chunks there are.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes of all chunks, with their attributes.</summary>
    public int Length => Count == 0 ? 0 : ends[Count - 1];

    /// <summary>The bytes of all chunks, each behind its attributes, one after the other. Valid until the batch is disposed.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, Length);

    /// <summary>Where each chunk ends within <see cref="Bytes"/>.</summary>
    public ReadOnlySpan<int> Ends => ends.AsSpan(0, Count);

    /// <summary>What the chunks are, as <see cref="Records.ChunkKind"/> has it; empty: all are plain JSON.</summary>
    internal ReadOnlySpan<byte> Kinds => kinds is null ? default : kinds.AsSpan(0, Count);

    /// <summary>The chunks' own timestamps, <see cref="NoTimestamp"/> where there is none; empty: none has one.</summary>
    internal ReadOnlySpan<long> Timestamps => timestamps is null ? default : timestamps.AsSpan(0, Count);

    /// <summary>What was written since the last chunk was added: the next chunk in the making.</summary>
    public Span<byte> Pending => bytes.AsSpan(Length, written - Length);

    /// <summary>Makes a chunk of all that was written since the last one.</summary>
    /// <param name="length">Keeps so many bytes of <see cref="Pending"/> and drops the rest.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxCount"/> chunks already.</exception>
    public void EndChunk(int length) => EndChunk(length, default, NoTimestamp);

    /// <summary>Makes a chunk, with its attributes, of all that was written since the last one.</summary>
    internal void EndChunk(int length, byte kind, long timestamp)
    {
        if (Count == MaxCount) throw new InvalidOperationException($"A batch holds at most {MaxCount} chunks.");
        if (Count == ends.Length) Grow(ref ends, Count, Count * 2);
        if (kinds is not null || kind != 0) Set(ref kinds, kind, default);
        if (timestamps is not null || timestamp != NoTimestamp) Set(ref timestamps, timestamp, NoTimestamp);
        written = Length + length;
        ends[Count++] = written;
    }

    /// <summary>Forgets what was written since the last chunk.</summary>
    public void DropPending() => written = Length;

    /// <summary>Adds a chunk.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxCount"/> chunks already.</exception>
    public void Add(ReadOnlySpan<byte> chunk)
    {
        DropPending();
        this.Write(chunk);
        EndChunk(chunk.Length);
    }

    /// <summary>Adds a chunk that need not be plain JSON.</summary>
    /// <param name="chunk">Its bytes, as they came.</param>
    /// <param name="form">What they are: <see cref="ChunkForms.Of"/>.</param>
    /// <param name="attributes">What <see cref="ChunkAttributes"/> wrote; none by default.</param>
    /// <param name="timestamp">Its own timestamp, Unix milliseconds, 0 or more; null: when it is admitted.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxCount"/> chunks already.</exception>
    /// <exception cref="ArgumentException">The attributes are malformed, or the timestamp is negative.</exception>
    public void Add(ReadOnlySpan<byte> chunk, ChunkForm form, ReadOnlySpan<byte> attributes = default, long? timestamp = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(timestamp ?? 0, nameof(timestamp));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((byte)form, (byte)ChunkForm.Binary, nameof(form));
        if (ChunkAttributes.FindFault(attributes) is { } fault) throw new ArgumentException(fault, nameof(attributes));
        DropPending();
        if (!attributes.IsEmpty)
        {
            BinaryPrimitives.WriteInt32LittleEndian(GetSpan(ChunkKind.LengthBytes), attributes.Length);
            Advance(ChunkKind.LengthBytes);
            this.Write(attributes);
        }
        this.Write(chunk);
        EndChunk(Pending.Length, ChunkKind.Of(form, !attributes.IsEmpty), timestamp ?? NoTimestamp);
    }

    /// <inheritdoc />
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, bytes.Length - written);
        written += count;
    }

    /// <inheritdoc />
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsMemory(written);
    }

    /// <inheritdoc />
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsSpan(written);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (bytes.Length == 0) return;
        ArrayPool<byte>.Shared.Return(bytes);
        ArrayPool<int>.Shared.Return(ends);
        if (kinds is not null) ArrayPool<byte>.Shared.Return(kinds);
        if (timestamps is not null) ArrayPool<long>.Shared.Return(timestamps);
        kinds = null;
        timestamps = null;
        bytes = [];
        ends = [];
        written = Count = 0;
    }

    private void Reserve(int sizeHint)
    {
        ObjectDisposedException.ThrowIf(bytes.Length == 0, this);
        var needed = written + Math.Max(sizeHint, 1);
        if (needed > bytes.Length) Grow(ref bytes, written, Math.Max(needed, bytes.Length * 2));
    }

    /// <summary>Notes something of the chunk that is being added; of those before it, <paramref name="none"/> if nothing was noted of any yet.</summary>
    private void Set<T>(ref T[]? notes, T note, T none)
    {
        if (notes is null)
        {
            notes = ArrayPool<T>.Shared.Rent(ends.Length);
            notes.AsSpan(0, Count).Fill(none);
        }
        else if (notes.Length == Count)
        {
            Grow(ref notes, Count, Count * 2);
        }
        notes[Count] = note;
    }

    private static void Grow<T>(ref T[] array, int used, int size)
    {
        var larger = ArrayPool<T>.Shared.Rent(size);
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }
}
