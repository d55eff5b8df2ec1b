using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>One reader's view of a stream's newest, committed records. Shares its memory with the other readers of the stream.</summary>
public interface IStreamTail : IAsyncDisposable
{
    /// <summary>The index that the stream's next chunk will get, as far as known here. Grows only.</summary>
    ChunkIndex NextIndex { get; }

    /// <summary>The index before which chunks were given up (<see cref="ChunkBatch.Trim"/>) or have expired. Grows only; never beyond <see cref="NextIndex"/>.</summary>
    ChunkIndex FirstIndex { get; }

    /// <summary>The timestamp of the last chunk, Unix milliseconds, as far as known here; 0: there was none.</summary>
    long LastTimestamp { get; }

    /// <summary>How the stream ended; null while it is open.</summary>
    Outcome? End { get; }

    /// <summary>Whether all that was stored of the stream has been erased since the tail was opened.</summary>
    bool Erased { get; }

    /// <summary>The record that holds <paramref name="cursor"/>, if it is among the newest kept in memory and not before <see cref="FirstIndex"/>.</summary>
    LogRecord? Find(ChunkIndex cursor);

    /// <summary>Waits until <see cref="NextIndex"/> exceeds <paramref name="cursor"/>, the stream ends or is erased, or <paramref name="wait"/> has passed.</summary>
    /// <remarks>One wait at a time. Allocates nothing.</remarks>
    /// <returns>False when only the time has passed.</returns>
    ValueTask<bool> WaitAsync(ChunkIndex cursor, TimeSpan wait, CancellationToken cancellationToken);
}
