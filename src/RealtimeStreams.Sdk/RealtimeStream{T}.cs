using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>A stream's definition: its key and the type of its chunks. Immutable, without a connection, safe to share.</summary>
/// <remarks>
/// Its own methods use the client of the run that is going on (<see cref="RunContext.Current"/>), so that a task's code needs nothing but
/// the definition. Anywhere else give the definition to <see cref="IRealtimeStreamsClient.Streams"/>.
/// </remarks>
/// <typeparam name="T">The type of a chunk.</typeparam>
public sealed class RealtimeStream<T>
{
    internal RealtimeStream(StreamKey key, JsonTypeInfo<T>? typeInfo)
    {
        StreamKey = key;
        TypeInfo = typeInfo;
    }

    /// <summary>The stream's key within its run.</summary>
    public string Key => StreamKey.Value;

    /// <summary>The chunk's JSON contract, where the definition has one of its own.</summary>
    public JsonTypeInfo<T>? TypeInfo { get; }

    internal StreamKey StreamKey { get; }

    /// <inheritdoc cref="IStreams.Pipe" path="/summary|/returns|/param|/exception" />
    /// <exception cref="InvalidOperationException">No run is going on here.</exception>
    public StreamPipe<T> Pipe(IAsyncEnumerable<T> source, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        RunContext.GetCurrent().Streams.Pipe(this, source, options, cancellationToken);

    /// <inheritdoc cref="IStreams.Writer" path="/summary|/returns|/param|/exception" />
    /// <exception cref="InvalidOperationException">No run is going on here.</exception>
    public StreamPipe<T> Writer(Func<StreamWriter<T>, Task> execute, PipeOptions? options = null, CancellationToken cancellationToken = default) =>
        RunContext.GetCurrent().Streams.Writer(this, execute, options, cancellationToken);

    /// <inheritdoc cref="IStreams.AppendAsync" path="/summary|/returns|/param|/exception" />
    /// <exception cref="InvalidOperationException">No run is going on here.</exception>
    public Task<AppendReceipt> AppendAsync(T chunk, AppendOptions? options = null, CancellationToken cancellationToken = default) =>
        RunContext.GetCurrent().Streams.AppendAsync(this, chunk, options, cancellationToken);

    /// <inheritdoc cref="IStreams.CloseAsync" path="/summary|/returns|/param|/exception" />
    /// <exception cref="InvalidOperationException">No run is going on here.</exception>
    public Task<CloseReceipt> CloseAsync(CloseOptions<T>? options = null, CancellationToken cancellationToken = default) =>
        RunContext.GetCurrent().Streams.CloseAsync(this, options, cancellationToken);

    /// <inheritdoc cref="IStreams.ReadAsync" path="/summary|/returns|/param|/exception" />
    /// <exception cref="InvalidOperationException">No run is going on here.</exception>
    public StreamRead<T> ReadAsync(string runId, ReadOptions? options = null, CancellationToken cancellationToken = default) =>
        RunContext.GetCurrent().Streams.ReadAsync(this, runId, options, cancellationToken);

    /// <inheritdoc />
    public override string ToString() => Key;
}
