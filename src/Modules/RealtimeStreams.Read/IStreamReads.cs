using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Read;

/// <summary>Opens reads of streams: from any index, through what is stored, on to what comes, until the end.</summary>
public interface IStreamReads
{
    /// <summary>Starts a read.</summary>
    /// <param name="stream">The stream. It need not exist yet while its run is open.</param>
    /// <param name="startIndex">The index delivered first; negative: so many from the end, as of now, as far as they were not given up. Beyond the end it waits.</param>
    /// <param name="cancellationToken">Gives up opening.</param>
    Task<ReadOpening> OpenAsync(StreamAddress stream, long startIndex, CancellationToken cancellationToken);

    /// <summary>Tells where a stream stands, as of an answer of the broker's leader. All zero for a stream of which nothing is stored.</summary>
    /// <param name="stream">The stream. Whether it may be read is for the caller to know.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The first index that can be read, the index of the next chunk, the timestamp of the last one in Unix milliseconds, and how it ended.</returns>
    /// <exception cref="LogUnavailableException">The broker did not answer in time.</exception>
    Task<(ChunkIndex First, ChunkIndex Next, long LastTimestamp, Outcome? End)> FindTailAsync(StreamAddress stream, CancellationToken cancellationToken);

    /// <summary>Finds the first chunk that can still be read whose timestamp is a time or later; null when there is none.</summary>
    /// <param name="stream">The stream. Whether it may be read is for the caller to know.</param>
    /// <param name="unixMilliseconds">The time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LogUnavailableException">The broker did not answer in time.</exception>
    Task<ChunkIndex?> FindByTimestampAsync(StreamAddress stream, long unixMilliseconds, CancellationToken cancellationToken);
}

/// <summary>Whether a read could be opened.</summary>
public abstract record ReadOpening
{
    private ReadOpening()
    {
    }

    /// <summary>It could. The caller disposes the read.</summary>
    /// <param name="Read">The read.</param>
    /// <param name="Run">The stream's run, as it was when the read was opened; without what it was given and gave.</param>
    public sealed record Opened(IStreamRead Read, Run Run) : ReadOpening;

    /// <summary>It could not.</summary>
    public sealed record Refused(Refusal Refusal) : ReadOpening;
}

/// <summary>One reader's way through a stream: a cursor and a wake-up, with no queue of its own. Steps are taken one at a time.</summary>
public interface IStreamRead : IAsyncDisposable
{
    /// <summary>The index that the reader wants next.</summary>
    ChunkIndex Cursor { get; }

    /// <summary>How far the stream is known to go.</summary>
    ChunkIndex NextIndex { get; }

    /// <summary>The timestamp of the last chunk that is known of, Unix milliseconds; 0: there was none.</summary>
    long LastTimestamp { get; }

    /// <summary>Takes the next step, as soon as there is one. Completes synchronously while records are at hand, so flush when it does not.</summary>
    /// <param name="wait">How long to wait for one; then the step is <see cref="ReadStepKind.Idle"/>.</param>
    /// <param name="cancellationToken">Ends the wait by an exception.</param>
    ValueTask<ReadStep> NextAsync(TimeSpan wait, CancellationToken cancellationToken);
}

/// <summary>What a step brought.</summary>
public enum ReadStepKind
{
    /// <summary>Chunks: those of <see cref="ReadStep.Record"/> from <see cref="ReadStep.From"/> on. The cursor is behind them now.</summary>
    Chunks,

    /// <summary>Everything stored when the read was opened has been delivered. Comes once.</summary>
    CaughtUp,

    /// <summary>The chunks before <see cref="ReadStep.From"/>, which is the cursor now, are gone: expired, or given up. Can come again when more is given up.</summary>
    Trimmed,

    /// <summary>The stream has ended with <see cref="ReadStep.Outcome"/>. The last step.</summary>
    Ended,

    /// <summary>The stream was erased under the reader. The last step.</summary>
    Erased,

    /// <summary>Nothing came in the time given.</summary>
    Idle,
}

/// <summary>One step of a read.</summary>
/// <param name="Kind">What it brought.</param>
/// <param name="From">See <see cref="ReadStepKind"/>.</param>
/// <param name="Record">The record, for <see cref="ReadStepKind.Chunks"/>.</param>
/// <param name="Outcome">The outcome, for <see cref="ReadStepKind.Ended"/>.</param>
public readonly record struct ReadStep(ReadStepKind Kind, ChunkIndex From, LogRecord? Record = null, Outcome Outcome = default);
