using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Erases runs, and says when that is done. What was begun is finished by any server, also after a crash; each request leaves a receipt.</summary>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface IErasures
{
    /// <summary>How long a receipt is kept after the erasure: 30 days.</summary>
    static readonly TimeSpan KeepReceipts = TimeSpan.FromDays(30);

    /// <summary>Has a run erased: from here on nobody finds it. Asked again while that goes on, it tells the same receipt.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="by">Who asks, for the receipt and the log; not a secret.</param>
    /// <param name="wait">How long to wait for the end of it.</param>
    /// <param name="endWait">Ends the wait sooner. The erasure goes on, and its receipt is told all the same.</param>
    /// <returns>The receipt as it is then; null when there is no such run.</returns>
    Task<Erasure?> EraseAsync(EnvironmentId environment, RunId run, string by, TimeSpan wait, CancellationToken endWait);

    /// <summary>A receipt; null when this environment has none of that id, or not any more.</summary>
    Task<Erasure?> FindAsync(EnvironmentId environment, string id, CancellationToken cancellationToken);

    /// <summary>Removes receipts that were kept for long enough.</summary>
    /// <param name="most">At most so many, 1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many.</returns>
    Task<int> SweepAsync(int most, CancellationToken cancellationToken);
}

/// <summary>The receipt of an erasure.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Run">The run; null for a stream outside of runs.</param>
/// <param name="Stream">The name of a stream outside of runs; null for a run.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="RequestedBy">Who asked.</param>
/// <param name="ErasedAt">When chunks, rows, and what servers held in memory were gone; null while they may not all be.</param>
public sealed record Erasure(string Id, RunId? Run, string? Stream, DateTimeOffset RequestedAt, string RequestedBy, DateTimeOffset? ErasedAt);
