using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>How a pipe or a writer uploads.</summary>
public sealed record PipeOptions
{
    /// <summary>Which run the chunks go to. Default: the run that is going on.</summary>
    public StreamTarget Target { get; init; }

    /// <summary>Whether the stream is closed once all is stored: <c>completed</c>, or <c>failed</c> when the source threw. Default: no,
    /// because several clients may pipe into one stream; the run's completion closes it.</summary>
    public bool CloseWhenDone { get; init; }

    /// <summary>How many chunks wait for somebody who iterates <see cref="StreamPipe{T}.Stream"/>. Default: 4,096. 0: nobody will.</summary>
    /// <remarks>Once somebody iterates, a full buffer slows the source. Before, it is waited for until the pipe is a second old or somebody asks
    /// for its completion; then the local stream is given up, and the upload goes on.</remarks>
    public int LocalBufferChunks { get; init; } = 4096;

    /// <summary>Names the producer. Default: a random name for every pipe and writer.</summary>
    /// <remarks>With a name that stays the same over a task's attempts, a newer attempt fences the older one. Such a name must never write
    /// twice in the same <see cref="Epoch"/>, as its chunks would pass for retries; where that shows, the pipe fails.</remarks>
    public string? ProducerId { get; init; }

    /// <summary>The producer's epoch. Default: the attempt of the run that is going on, 0 outside of one.</summary>
    public uint? Epoch { get; init; }
}

/// <summary>Where one chunk goes.</summary>
public sealed record AppendOptions
{
    /// <summary>Which run the chunk goes to. Default: the run that is going on.</summary>
    public StreamTarget Target { get; init; }

    /// <summary>Recognises the same append for ten minutes, 1 to 128 bytes. Default: a random one for every call, so that only the client's
    /// own retries are recognised.</summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>How a stream ends.</summary>
/// <typeparam name="T">The type of a chunk.</typeparam>
public sealed record CloseOptions<T>
{
    private readonly T? finalChunk;

    /// <summary>Which run the stream belongs to. Default: the run that is going on.</summary>
    public StreamTarget Target { get; init; }

    /// <summary>completed, failed or cancelled. Default: completed.</summary>
    public Outcome Outcome { get; init; } = Outcome.Completed;

    /// <summary>A last chunk, stored in the same atomic step. None unless set.</summary>
    public T? FinalChunk
    {
        get => finalChunk;
        init
        {
            finalChunk = value;
            HasFinalChunk = true;
        }
    }

    /// <summary>Whether <see cref="FinalChunk"/> was set, as null is a chunk too.</summary>
    public bool HasFinalChunk { get; private init; }
}
