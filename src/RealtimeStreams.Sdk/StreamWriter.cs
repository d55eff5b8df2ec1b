using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk;

/// <summary>Writes chunks and merges sources into one stream. Safe for many threads.</summary>
/// <typeparam name="T">The type of a chunk.</typeparam>
public sealed class StreamWriter<T>
{
    private readonly Upload<T> upload;
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private int unfinished = 1; // The execute function itself.
    private Exception? failure;

    internal StreamWriter(Upload<T> upload) => this.upload = upload;

    /// <summary>Cancelled when writing shall stop: the run stops, the upload failed, or another of the merged sources did.</summary>
    public CancellationToken Stopping => upload.Stopping;

    /// <summary>Writes a chunk. Returns when it is in the upload's buffer, not yet stored; waits while that is full.</summary>
    /// <exception cref="RealtimeStreamsException">The upload has failed.</exception>
    public ValueTask WriteAsync(T chunk, CancellationToken cancellationToken = default) => upload.WriteAsync(chunk, cancellationToken);

    /// <summary>Writes a chunk. Blocks the thread while the upload's buffer is full; <see cref="WriteAsync"/> does not.</summary>
    /// <exception cref="RealtimeStreamsException">The upload has failed.</exception>
    public void Write(T chunk)
    {
        var writing = upload.WriteAsync(chunk, CancellationToken.None);
        if (writing.IsCompletedSuccessfully) writing.GetAwaiter().GetResult();
        else writing.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Writes all chunks of a source as they come, between those of others, and returns at once.</summary>
    /// <exception cref="InvalidOperationException">The execute function and all merged sources have ended.</exception>
    public void Merge(IAsyncEnumerable<T> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        lock (gate)
        {
            if (unfinished == 0) throw new InvalidOperationException("The writer has ended.");
            unfinished++;
        }
        // The source may block its first step, and merging returns at once. RunAsync waits for it.
        _ = Task.Run(() => CountAsync(() => WriteAllAsync(source)), CancellationToken.None);
    }

    /// <summary>Runs the execute function and returns when it and all merged sources have ended.</summary>
    internal async Task RunAsync(Func<StreamWriter<T>, Task> execute)
    {
        await CountAsync(() => execute(this)).ConfigureAwait(false);
        await done.Task.ConfigureAwait(false);
    }

    internal async Task WriteAllAsync(IAsyncEnumerable<T> source)
    {
        await foreach (var chunk in source.WithCancellation(Stopping).ConfigureAwait(false))
            await upload.WriteAsync(chunk, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CountAsync(Func<Task> work)
    {
        Exception? thrown = null;
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            thrown = exception; // RunAsync throws the first one.
        }
        bool last;
        lock (gate)
        {
            failure ??= thrown;
            last = --unfinished == 0;
        }
        if (thrown is not null) upload.StopSources();
        if (!last) return;
        if (failure is null) done.TrySetResult();
        else done.TrySetException(failure);
    }
}
