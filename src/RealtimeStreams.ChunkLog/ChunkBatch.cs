using System.Buffers;
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

    private byte[] bytes;
    private int[] ends;
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
    public string? IdempotencyKey { get; init; }

    /// <summary>How many chunks there are.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes of all chunks.</summary>
    public int Length => Count == 0 ? 0 : ends[Count - 1];

    /// <summary>The bytes of all chunks, one after the other. Valid until the batch is disposed.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, Length);

    /// <summary>Where each chunk ends within <see cref="Bytes"/>.</summary>
    public ReadOnlySpan<int> Ends => ends.AsSpan(0, Count);

    /// <summary>What was written since the last chunk was added: the next chunk in the making.</summary>
    public Span<byte> Pending => bytes.AsSpan(Length, written - Length);

    /// <summary>Makes a chunk of all that was written since the last one.</summary>
    /// <param name="length">Keeps so many bytes of <see cref="Pending"/> and drops the rest.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxCount"/> chunks already.</exception>
    public void EndChunk(int length)
    {
        if (Count == MaxCount) throw new InvalidOperationException($"A batch holds at most {MaxCount} chunks.");
        if (Count == ends.Length) Grow(ref ends, Count, Count * 2);
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

    private static void Grow<T>(ref T[] array, int used, int size)
    {
        var larger = ArrayPool<T>.Shared.Rent(size);
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }
}
