using System.Buffers;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>The chunks of a producer that are not acknowledged yet, each followed by a line feed, as they go into a request's body.</summary>
/// <remarks>Bounded in bytes and in chunks. One writer at a time (the upload's gate) and one reader (the producer's loop); the lock guards what they share.
/// Bytes that were taken are not touched until they are released, so that a request may read them without the lock.</remarks>
internal sealed class ChunkBuffer(int maxBytes, int maxChunks)
{
    private const int SlabBytes = 32 * 1024;
    private readonly Lock gate = new();
    private readonly List<Slab> slabs = [];
    private readonly Queue<int> lengths = [];
    private int bytes;
    private bool completed;
    private Exception? failure;
    private TaskCompletionSource? room;
    private TaskCompletionSource? arrival;

    /// <summary>Adds a chunk and waits for room before, if there is none. A chunk larger than the whole buffer goes in alone.</summary>
    public async ValueTask AddAsync(ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task waiting;
            lock (gate)
            {
                if (failure is not null) throw failure;
                if (completed) throw new InvalidOperationException("The writer has ended.");
                if (lengths.Count == 0 || (lengths.Count < maxChunks && bytes + chunk.Length + 1 <= maxBytes))
                {
                    Store(chunk.Span);
                    arrival?.TrySetResult();
                    return;
                }
                waiting = (room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Says that no more chunks come.</summary>
    public void Complete()
    {
        lock (gate)
        {
            completed = true;
            arrival?.TrySetResult();
        }
    }

    /// <summary>Makes all adding fail from now on.</summary>
    public void Fail(Exception reason)
    {
        lock (gate)
        {
            failure ??= reason;
            room?.TrySetResult();
        }
    }

    /// <summary>Waits for chunks; false when none will come any more.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task waiting;
            lock (gate)
            {
                if (lengths.Count > 0) return true;
                if (completed) return false;
                arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = arrival.Task;
            }
            await waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The oldest chunks that are waiting, as they lie. Valid until they are released.</summary>
    /// <param name="most">No more bytes than that, but at least one chunk.</param>
    /// <returns>How many chunks they are, and their bytes.</returns>
    public (int Count, IReadOnlyList<ReadOnlyMemory<byte>> Lines) Peek(int most = int.MaxValue)
    {
        lock (gate)
        {
            var (count, taken) = bytes <= most ? (lengths.Count, bytes) : CountUpTo(most);
            var lines = new List<ReadOnlyMemory<byte>>(slabs.Count);
            for (var i = 0; taken > 0; i++)
            {
                var part = slabs[i].Bytes.AsMemory(slabs[i].Start, Math.Min(taken, slabs[i].End - slabs[i].Start));
                lines.Add(part);
                taken -= part.Length;
            }
            return (count, lines);
        }
    }

    /// <summary>Forgets the oldest chunks, as they are stored.</summary>
    /// <param name="count">How many.</param>
    /// <param name="reusable">Whether nobody reads their bytes any more. Otherwise they are left to the garbage collector.</param>
    public void Release(int count, bool reusable)
    {
        lock (gate)
        {
            var freed = 0;
            for (var i = 0; i < count; i++) freed += lengths.Dequeue();
            bytes -= freed;
            while (freed > 0)
            {
                var slab = slabs[0];
                var part = Math.Min(freed, slab.End - slab.Start);
                slab.Start += part;
                freed -= part;
                slab.MayBeRead |= !reusable;
                if (slab.Start < slab.End) break;
                slabs.RemoveAt(0);
                if (!slab.MayBeRead) ArrayPool<byte>.Shared.Return(slab.Bytes);
            }
            room?.TrySetResult();
            room = null;
        }
    }

    private (int Count, int Bytes) CountUpTo(int most)
    {
        var (count, taken) = (0, 0);
        foreach (var length in lengths)
        {
            if (count > 0 && taken + length > most) break;
            count++;
            taken += length;
        }
        return (count, taken);
    }

    private void Store(ReadOnlySpan<byte> chunk)
    {
        var needed = chunk.Length + 1;
        if (slabs.Count == 0 || slabs[^1].Bytes.Length - slabs[^1].End < needed)
            slabs.Add(new Slab(ArrayPool<byte>.Shared.Rent(Math.Max(needed, SlabBytes))));
        var slab = slabs[^1];
        chunk.CopyTo(slab.Bytes.AsSpan(slab.End));
        slab.Bytes[slab.End + chunk.Length] = (byte)'\n';
        slab.End += needed;
        lengths.Enqueue(needed);
        bytes += needed;
    }

    private sealed class Slab(byte[] bytes)
    {
        public readonly byte[] Bytes = bytes;
        public int Start;
        public int End;
        public bool MayBeRead;
    }
}
