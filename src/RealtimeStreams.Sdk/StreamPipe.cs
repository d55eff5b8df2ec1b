using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk;

/// <summary>An upload that is going on: what <see cref="IStreams.Pipe"/> and <see cref="IStreams.Writer"/> return at once.</summary>
/// <typeparam name="T">The type of a chunk.</typeparam>
public sealed class StreamPipe<T>
{
    private readonly LocalStream<T> local;
    private readonly Task<PipeReceipt> completion;
    private readonly StreamActivity activity;

    internal StreamPipe(LocalStream<T> local, Task<PipeReceipt> completion, StreamActivity activity)
    {
        this.local = local;
        this.completion = completion;
        this.activity = activity;
    }

    /// <summary>The chunks, as they pass, to iterate here as well: at most once, and in the order in which they are stored.</summary>
    /// <remarks>Nobody has to. Take it before <see cref="Completion"/>, which shows that nobody will. See <see cref="PipeOptions.LocalBufferChunks"/>. Leaving the iteration early does not stop the upload.</remarks>
    /// <exception cref="InvalidOperationException">It is iterated a second time, or was begun after its buffer had overflowed.</exception>
    public IAsyncEnumerable<T> Stream
    {
        get
        {
            local.Take();
            return local;
        }
    }

    /// <summary>Done when the server has acknowledged all chunks.</summary>
    /// <remarks>Fails with what the source threw, or with a <see cref="RealtimeStreamsException"/>. Inside a run, a failure fails the run unless this was asked for.</remarks>
    public Task<PipeReceipt> Completion
    {
        get
        {
            activity.WasAskedFor = true;
            local.ExpectNobody();
            return completion;
        }
    }

    /// <summary>Waits for <see cref="Completion"/>.</summary>
    /// <param name="cancellationToken">Gives up waiting; the upload goes on.</param>
    public Task<PipeReceipt> WaitUntilCompleteAsync(CancellationToken cancellationToken = default) => Completion.WaitAsync(cancellationToken);
}
