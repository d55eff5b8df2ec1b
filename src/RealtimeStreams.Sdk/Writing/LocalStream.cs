using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>The copy of an upload's chunks for whoever iterates them here. Never holds up the upload for nobody.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and links to nothing.")]
internal sealed class LocalStream<T> : IAsyncEnumerable<T>
{
    private enum State
    {
        Waiting,
        Iterating,
        Left,
        Overflowed,
    }

    private readonly Channel<T> chunks; // Bounded by PipeOptions.LocalBufferChunks: references to chunks that the source made anyway.
    private readonly CancellationTokenSource left = new();
    private readonly int capacity;
    private readonly Lock gate = new();
    private State state;

    public LocalStream(int capacity)
    {
        this.capacity = capacity;
        chunks = Channel.CreateBounded<T>(new BoundedChannelOptions(Math.Max(capacity, 1)) { SingleReader = true, SingleWriter = true });
        if (capacity == 0) state = State.Overflowed;
    }

    /// <summary>Hands a chunk over. Waits only for an iteration that is going on.</summary>
    public ValueTask WriteAsync(T chunk, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (state is State.Left or State.Overflowed || chunks.Writer.TryWrite(chunk)) return ValueTask.CompletedTask;
            if (state is State.Waiting)
            {
                state = State.Overflowed;
                Drain();
                return ValueTask.CompletedTask;
            }
        }
        return WaitAsync(chunk, cancellationToken);
    }

    public void Complete(Exception? failure) => chunks.Writer.TryComplete(failure);

    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            if (state is State.Overflowed)
                throw new InvalidOperationException(
                    $"More than {capacity} chunks passed before anybody iterated them here. Begin earlier, or raise PipeOptions.LocalBufferChunks.");
            if (state is not State.Waiting) throw new InvalidOperationException("The chunks of a pipe can be iterated once.");
            state = State.Iterating;
        }
        try
        {
            await foreach (var chunk in chunks.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return chunk;
        }
        finally
        {
            lock (gate) state = State.Left;
            await left.CancelAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask WaitAsync(T chunk, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(left.Token, cancellationToken);
        try
        {
            await chunks.Writer.WriteAsync(chunk, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            // The iteration was left: the chunk is for nobody.
        }
    }

    private void Drain()
    {
        while (chunks.Reader.TryRead(out _))
        {
        }
    }
}
