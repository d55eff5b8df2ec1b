using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace RealtimeStreams.Sdk.Writing;

/// <summary>The copy of an upload's chunks for whoever iterates them here. Holds up the upload for nobody, but for a moment at its start.</summary>
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

    /// <summary>A source that is at hand gives thousands of chunks before its caller has even begun to iterate. So long its upload waits for that.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Channel<T> chunks; // Bounded by PipeOptions.LocalBufferChunks: references to chunks that the source made anyway.
    private readonly CancellationTokenSource left = new();
    private readonly TaskCompletionSource decided = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider time;
    private readonly long started;
    private readonly int capacity;
    private readonly Lock gate = new();
    private State state;
    private bool isTaken;

    public LocalStream(int capacity, TimeProvider time)
    {
        this.capacity = capacity;
        this.time = time;
        started = time.GetTimestamp();
        chunks = Channel.CreateBounded<T>(new BoundedChannelOptions(Math.Max(capacity, 1)) { SingleReader = true, SingleWriter = true });
        if (capacity == 0) state = State.Overflowed;
    }

    /// <summary>Somebody has got hold of it, and may iterate it.</summary>
    public void Take() => isTaken = true;

    /// <summary>Somebody waits for the upload. If nobody has taken this one by then, nobody is waited for.</summary>
    public void ExpectNobody()
    {
        if (!isTaken) decided.TrySetResult();
    }

    /// <summary>Hands a chunk over. Waits for an iteration that is going on, and for one that may still begin.</summary>
    public ValueTask WriteAsync(T chunk, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (state is State.Left or State.Overflowed || chunks.Writer.TryWrite(chunk)) return ValueTask.CompletedTask;
            if (state is State.Waiting) return DecideAsync(chunk, cancellationToken);
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
                    $"More than {capacity} chunks passed before anybody iterated them here. Begin earlier, before waiting for the completion, or raise PipeOptions.LocalBufferChunks.");
            if (state is not State.Waiting) throw new InvalidOperationException("The chunks of a pipe can be iterated once.");
            state = State.Iterating;
            decided.TrySetResult();
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

    private async ValueTask DecideAsync(T chunk, CancellationToken cancellationToken)
    {
        var patience = Grace - time.GetElapsedTime(started);
        try
        {
            if (patience > TimeSpan.Zero) await decided.Task.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Nobody came.
        }
        lock (gate)
        {
            if (state is State.Waiting)
            {
                state = State.Overflowed;
                Drain();
                return;
            }
        }
        await WaitAsync(chunk, cancellationToken).ConfigureAwait(false);
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
