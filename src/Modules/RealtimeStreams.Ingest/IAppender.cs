using System.IO.Pipelines;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>Writes chunks to streams, each once and in the order its producer sent them, and ends streams.</summary>
public interface IAppender
{
    /// <summary>Appends the chunks in <paramref name="body"/> and returns once the log has confirmed them, or refused one.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="request">What the body is and who sends it.</param>
    /// <param name="body">The chunks. Read to its end, or to the first refusal; it stays the caller's.</param>
    /// <param name="cancellationToken">Stops reading. Complete lines of an <see cref="BodyKind.Lines"/> body that were read are stored all the same.</param>
    /// <returns>Where the chunks stand, or why some were refused and what was stored before.</returns>
    /// <exception cref="RunRegistry.RegistryUnavailableException">The registry cannot be reached; nothing was stored. In the middle of a body it is a refusal instead.</exception>
    Task<IngestOutcome> AppendAsync(StreamAddress stream, AppendRequest request, PipeReader body, CancellationToken cancellationToken);

    /// <summary>Appends chunks that are in memory already, in one step or not at all, and returns once the log has confirmed them.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="batch">One chunk or more, which nobody looks at any more. Owned and disposed by this, whatever comes of it.</param>
    /// <param name="writerLease">How long the stream's writers may be gone from now on, within <see cref="RunRegistry.LeaseBounds"/>; null: as it is.</param>
    /// <param name="cancellationToken">Gives up waiting. The chunks may still be stored: send them again to find out.</param>
    /// <returns>Where the chunks stand, or why they were refused. A refusal stored nothing unless its code says that it may have.</returns>
    /// <exception cref="ArgumentException">The batch is empty, or holds what the log does not take.</exception>
    /// <exception cref="RunRegistry.RegistryUnavailableException">The registry cannot be reached; nothing was stored.</exception>
    Task<AppendOutcome> AppendAsync(StreamAddress stream, ChunkBatch batch, TimeSpan? writerLease, CancellationToken cancellationToken) =>
        AppendAsync(stream, batch, writerLease, null, cancellationToken);

    /// <summary>Appends chunks as above, for a connection that appends one batch after the other.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="batch">As above.</param>
    /// <param name="writerLease">As above.</param>
    /// <param name="binding">The connection's; null: none.</param>
    /// <param name="cancellationToken">As above.</param>
    /// <returns>As above.</returns>
    Task<AppendOutcome> AppendAsync(StreamAddress stream, ChunkBatch batch, TimeSpan? writerLease, RunBinding? binding, CancellationToken cancellationToken);

    /// <summary>Ends a stream for ever, with a last chunk in the same atomic step if one is given.</summary>
    /// <param name="stream">Which one.</param>
    /// <param name="request">How it ends.</param>
    /// <param name="cancellationToken">Gives up waiting. The end may still be stored: ask again to find out.</param>
    /// <exception cref="RunRegistry.RegistryUnavailableException">The registry cannot be reached; nothing was stored.</exception>
    Task<CloseOutcome> CloseAsync(StreamAddress stream, CloseRequest request, CancellationToken cancellationToken);
}
