using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Writes and reads streams. Safe for many threads.</summary>
/// <remarks>
/// Writing and reading go on by themselves after lost connections, restarts of the server and refusals that pass, with every chunk stored
/// and delivered exactly once. <see cref="StreamsExtensions"/> has the same methods with a key, or with none, in place of a definition.
/// </remarks>
public interface IStreams
{
    /// <summary>Starts to upload <paramref name="source"/> and returns at once.</summary>
    /// <remarks>Its end does not close the stream, as several clients may pipe into one; the run's completion does, or
    /// <see cref="PipeOptions.CloseWhenDone"/>. What <paramref name="source"/> throws, <see cref="StreamPipe{T}.Completion"/> throws after
    /// all that came before is stored.</remarks>
    /// <param name="stream">Which stream.</param>
    /// <param name="source">Where the chunks come from; enumerated once. It is slowed while the upload's buffer is full.</param>
    /// <param name="options">Where to and how; null: the run that is going on.</param>
    /// <param name="cancellationToken">Stops the source and the upload. Chunks that were not acknowledged may be stored or not.</param>
    /// <returns>The chunks to iterate here as well, and the completion.</returns>
    /// <exception cref="InvalidOperationException">The target needs a run that is going on here, and none is.</exception>
    StreamPipe<T> Pipe<T>(
        RealtimeStream<T> stream, IAsyncEnumerable<T> source, PipeOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Runs <paramref name="execute"/> with a writer and returns at once. Complete when it and all that it merged are.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="execute">Writes chunks and merges sources.</param>
    /// <param name="options">Where to and how; null: the run that is going on.</param>
    /// <param name="cancellationToken">Stops the sources and the upload. Chunks that were not acknowledged may be stored or not.</param>
    /// <returns>The chunks to iterate here as well, and the completion.</returns>
    /// <exception cref="InvalidOperationException">The target needs a run that is going on here, and none is.</exception>
    StreamPipe<T> Writer<T>(
        RealtimeStream<T> stream, Func<StreamWriter<T>, Task> execute, PipeOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Appends one chunk and returns once the server has acknowledged it: it is kept from then on.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="options">Where to; null: the run that is going on.</param>
    /// <param name="cancellationToken">Gives up waiting. The chunk may be stored or not.</param>
    /// <returns>The chunk's index, <see cref="AppendReceipt.FirstIndex"/>.</returns>
    /// <exception cref="RealtimeStreamsException">The server refused the chunk, or was not reached in time.</exception>
    /// <exception cref="InvalidOperationException">The target needs a run that is going on here, and none is.</exception>
    Task<AppendReceipt> AppendAsync<T>(
        RealtimeStream<T> stream, T chunk, AppendOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Ends the stream for ever, if wanted with a final chunk in the same atomic step.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="options">Where, with which outcome and final chunk; null: completed, in the run that is going on.</param>
    /// <param name="cancellationToken">Gives up waiting. The stream may be closed or not.</param>
    /// <exception cref="RealtimeStreamsException">The server refused, for example because the stream ended with another outcome.</exception>
    /// <exception cref="InvalidOperationException">The target needs a run that is going on here, and none is.</exception>
    Task<CloseReceipt> CloseAsync<T>(
        RealtimeStream<T> stream, CloseOptions<T>? options = null, CancellationToken cancellationToken = default);

    /// <summary>Reads a stream from any index, live: each chunk once, in order, until the stream ends or nothing came for the timeout.</summary>
    /// <remarks>Nothing is sent before the first enumeration.</remarks>
    /// <param name="stream">Which stream.</param>
    /// <param name="runId">The run that it belongs to.</param>
    /// <param name="options">Where to begin and when to stop; null: from the first chunk, until the stream ends.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    StreamRead<T> ReadAsync<T>(
        RealtimeStream<T> stream, string runId, ReadOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Tells where a stream stands.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="key">The stream's key.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task<StreamTail> GetTailAsync(string runId, string key = RealtimeStream.DefaultKey, CancellationToken cancellationToken = default);

    /// <summary>Lists a run's streams, by key.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="RealtimeStreamsException">There is no such run, or the server was not reached in time.</exception>
    Task<IReadOnlyList<StreamInfo>> ListAsync(string runId, CancellationToken cancellationToken = default);
}
