using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk;

/// <summary>The direct methods: a key, or none for the default stream, in place of a definition. And texts as sources.</summary>
/// <remarks>A definition is better where a stream is written and read in several places: it keeps key and type together.</remarks>
public static class StreamsExtensions
{
    /// <summary>Pipes into the stream with this key.</summary>
    /// <inheritdoc cref="IStreams.Pipe" path="/remarks|/returns|/param|/exception" />
    public static StreamPipe<T> Pipe<T>(
        this IStreams streams, string key, IAsyncEnumerable<T> source, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.Pipe(RealtimeStream.Define<T>(key), source, options, cancellationToken);

    /// <summary>Pipes into the default stream.</summary>
    /// <inheritdoc cref="IStreams.Pipe" path="/remarks|/returns|/param|/exception" />
    public static StreamPipe<T> Pipe<T>(
        this IStreams streams, IAsyncEnumerable<T> source, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.Pipe(RealtimeStream.Define<T>(RealtimeStream.DefaultKey), source, options, cancellationToken);

    /// <summary>Pipes a text as it comes, in chunks of up to 4,096 characters that never split a character in two.</summary>
    /// <param name="streams">The client's streams.</param>
    /// <param name="stream">Which stream.</param>
    /// <param name="source">The text; stays the caller's to dispose, after the completion.</param>
    /// <param name="options">Where to and how; null: the run that is going on.</param>
    /// <param name="cancellationToken">Stops the reading and the upload.</param>
    public static StreamPipe<string> Pipe(
        this IStreams streams, RealtimeStream<string> stream, TextReader source, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.Pipe(stream, TextSource.ReadAsync(source, CancellationToken.None), options, cancellationToken);

    /// <summary>Pipes UTF-8 text as it comes, in chunks of up to 4,096 characters that never split a character in two.</summary>
    /// <param name="streams">The client's streams.</param>
    /// <param name="stream">Which stream.</param>
    /// <param name="source">The text's bytes, with or without a byte order mark; stays the caller's to dispose, after the completion.</param>
    /// <param name="options">Where to and how; null: the run that is going on.</param>
    /// <param name="cancellationToken">Stops the reading and the upload.</param>
    public static StreamPipe<string> Pipe(
        this IStreams streams, RealtimeStream<string> stream, Stream source, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.Pipe(stream, TextSource.ReadAsync(source, CancellationToken.None), options, cancellationToken);

    /// <summary>Writes into the stream with this key.</summary>
    /// <inheritdoc cref="IStreams.Writer" path="/remarks|/returns|/param|/exception" />
    public static StreamPipe<T> Writer<T>(
        this IStreams streams, string key, Func<StreamWriter<T>, Task> execute, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.Writer(RealtimeStream.Define<T>(key), execute, options, cancellationToken);

    /// <summary>Writes into the default stream.</summary>
    /// <inheritdoc cref="IStreams.Writer" path="/remarks|/returns|/param|/exception" />
    public static StreamPipe<T> Writer<T>(
        this IStreams streams, Func<StreamWriter<T>, Task> execute, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.Writer(RealtimeStream.Define<T>(RealtimeStream.DefaultKey), execute, options, cancellationToken);

    /// <summary>Appends one chunk to the stream with this key.</summary>
    /// <inheritdoc cref="IStreams.AppendAsync" path="/returns|/param|/exception" />
    public static Task<AppendReceipt> AppendAsync<T>(
        this IStreams streams, string key, T chunk, AppendOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.AppendAsync(RealtimeStream.Define<T>(key), chunk, options, cancellationToken);

    /// <summary>Appends one chunk to the default stream.</summary>
    /// <inheritdoc cref="IStreams.AppendAsync" path="/returns|/param|/exception" />
    public static Task<AppendReceipt> AppendAsync<T>(
        this IStreams streams, T chunk, AppendOptions? options = null, CancellationToken cancellationToken = default) =>
        streams.AppendAsync(RealtimeStream.Define<T>(RealtimeStream.DefaultKey), chunk, options, cancellationToken);

    /// <summary>Ends the stream with this key for ever.</summary>
    /// <param name="streams">The client's streams.</param>
    /// <param name="key">The stream's key.</param>
    /// <param name="outcome">completed, failed or cancelled.</param>
    /// <param name="target">Which run; the default is the run that is going on.</param>
    /// <param name="cancellationToken">Gives up waiting. The stream may be closed or not.</param>
    public static Task<CloseReceipt> CloseAsync(
        this IStreams streams,
        string key = RealtimeStream.DefaultKey,
        Outcome outcome = Outcome.Completed,
        StreamTarget target = default,
        CancellationToken cancellationToken = default) =>
        streams.CloseAsync(
            RealtimeStream.Define<string>(key), new CloseOptions<string> { Outcome = outcome, Target = target }, cancellationToken);

    /// <summary>Reads the stream with this key, or the default stream.</summary>
    /// <inheritdoc cref="IStreams.ReadAsync" path="/remarks|/param" />
    public static StreamRead<T> ReadAsync<T>(
        this IStreams streams,
        string runId,
        string key = RealtimeStream.DefaultKey,
        ReadOptions? options = null,
        CancellationToken cancellationToken = default) =>
        streams.ReadAsync(RealtimeStream.Define<T>(key), runId, options, cancellationToken);
}
