using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>Keeps the chunks of all streams: each once, in one order, under dense indexes.</summary>
public interface IChunkLog
{
    /// <summary>What the broker's real configuration makes of an acknowledgement. Known once the log has started.</summary>
    DurabilityClass Durability { get; }

    /// <summary>The most bytes one chunk, or one batch, may have: the product's limit or what the broker's <c>max_payload</c> leaves.</summary>
    int MaxChunkBytes { get; }

    /// <summary>Appends a batch as one atomic step and returns once the broker has confirmed it.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="batch">The chunks. The log owns the batch from here on, whatever the outcome, and disposes it.</param>
    /// <param name="limits">The stream's limits.</param>
    /// <param name="cancellationToken">Gives up waiting. The chunks may still be stored: send them again to find out.</param>
    /// <returns>Where the chunks stand, or why they were refused. A refusal stored nothing unless its code says that it may have.</returns>
    Task<AppendOutcome> AppendAsync(StreamAddress stream, ChunkBatch batch, StreamLimits limits, CancellationToken cancellationToken);

    /// <summary>Ends a stream for ever, with the chunks of <paramref name="last"/> in the same atomic step.</summary>
    /// <remarks>Ending it again with the same outcome and no chunks succeeds; with another outcome it is refused.</remarks>
    /// <param name="stream">Which one. A stream without chunks can be ended too.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="last">
    /// The last chunks, or null. The log owns and disposes the batch. What it expects of the stream (<see cref="ChunkBatch.ExpectedIndex"/>) is decided in the
    /// same step, also of a batch without chunks; an end that is there already is told first.
    /// </param>
    /// <param name="limits">The stream's limits.</param>
    /// <param name="cancellationToken">Gives up waiting. The end may still be stored: ask again to find out.</param>
    Task<CloseOutcome> CloseAsync(
        StreamAddress stream, Outcome outcome, ChunkBatch? last, StreamLimits limits, CancellationToken cancellationToken);

    /// <summary>Tells what is stored of a stream, as of an answer of the broker's leader; null when nothing is.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time.</exception>
    Task<StreamSummary?> FindAsync(StreamAddress stream, CancellationToken cancellationToken);

    /// <summary>Finds the first chunk that can still be read whose timestamp is a time or later; null when there is none.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="unixMilliseconds">The time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LogUnavailableException">The broker did not answer in time.</exception>
    Task<ChunkIndex?> FindByTimestampAsync(StreamAddress stream, long unixMilliseconds, CancellationToken cancellationToken);

    /// <summary>Gives up a stream's chunks that were admitted before a time, as the servers' clocks had it, record by record: a chunk stays for as long as one of its record is younger.</summary>
    /// <remarks>
    /// They are gone for all readers on all nodes from the same index on, as after a trim, and then removed from the disk. What the stream is stays: its next index, its end, its producers. May be
    /// called by several nodes at once, and again after a failure.
    /// </remarks>
    /// <param name="stream">The stream, open or ended.</param>
    /// <param name="cutOff">The time. Chunks that were admitted then or later stay.</param>
    /// <param name="cancellationToken">Gives up waiting. They may be given up all the same.</param>
    /// <returns>What is left; null when nothing was ever stored, or all of it was erased.</returns>
    /// <exception cref="LogUnavailableException">The broker did not answer in time. Ask again.</exception>
    Task<StreamExpiry?> ExpireAsync(StreamAddress stream, DateTimeOffset cutOff, CancellationToken cancellationToken);

    /// <summary>Erases all that is stored of a run's streams, and returns once every node has dropped what it held in memory. Their open tails are <see cref="IStreamTail.Erased"/>.</summary>
    /// <exception cref="LogUnavailableException">The broker, or a node, did not answer in time. Ask again.</exception>
    Task EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>Starts following a stream, whether or not it exists yet. What was appended before the call is known to the tail.</summary>
    /// <exception cref="LogUnavailableException">The broker did not answer in time.</exception>
    ValueTask<IStreamTail> OpenTailAsync(StreamAddress stream, CancellationToken cancellationToken);

    /// <summary>Reads stored records, starting with the one that holds <paramref name="cursor"/> or, where that is gone, the first that is left.</summary>
    /// <remarks>What was given up (<see cref="IStreamTail.FirstIndex"/>) may still be among them until it is removed; it is for the caller to skip it.</remarks>
    /// <param name="stream">The stream.</param>
    /// <param name="cursor">The index wanted first.</param>
    /// <param name="after">The record read before, if any: saves the search when it ends at <paramref name="cursor"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>At least one record; none when nothing is stored from <paramref name="cursor"/> on. Bounded to 256 KiB and 256 records, or one larger record.</returns>
    /// <exception cref="LogUnavailableException">The broker did not answer in time.</exception>
    Task<IReadOnlyList<LogRecord>> ReadStoredAsync(StreamAddress stream, ChunkIndex cursor, LogRecord? after, CancellationToken cancellationToken);
}
