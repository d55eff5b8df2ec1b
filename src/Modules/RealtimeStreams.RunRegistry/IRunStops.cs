using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Asks runs to stop, notes who has seen it, and tells it to whoever watches a run, on all nodes.</summary>
/// <exception cref="RegistryUnavailableException">Thrown by every call that asks the database when it cannot be reached.</exception>
public interface IRunStops
{
    /// <summary>Asks a run to stop. The first request stays: asking again changes nothing and tells the same. One that waits for its first worker is cancelled at once.</summary>
    /// <remarks>Nothing is forced: a run ends when its worker ends it. A run that has ended before is told as it is, without a request.</remarks>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="reason">Why, at most 1,024 characters; for whoever may read the run. What no database keeps as text is replaced by U+FFFD. Empty: none.</param>
    /// <param name="by">With what kind of credential it is asked, for whoever may read the run; null: not told.</param>
    /// <param name="who">Whose it is, for the log.</param>
    /// <param name="cancellationToken">Gives up. The request may be stored.</param>
    Task<StopOutcome> RequestAsync(EnvironmentId environment, RunId run, string? reason, string? by, string who, CancellationToken cancellationToken);

    /// <summary>Notes that the run's worker has seen the request. The first one stays; once the run has ended nothing is changed.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="worker">Who, 1 to 256 bytes without control characters. For a triggered run whoever claimed it.</param>
    /// <param name="attempt">For a triggered run the <see cref="Run.Attempt"/> that the claim gave; otherwise ignored.</param>
    /// <param name="cancellationToken">Gives up. It may be noted.</param>
    Task<StopOutcome> AcknowledgeAsync(EnvironmentId environment, RunId run, string worker, int? attempt, CancellationToken cancellationToken);

    /// <summary>Watches a run for as long as the result lives. All watches of a run on this node share one entry; none asks the database by itself.</summary>
    /// <remarks>Begin to watch, then look at the run: what was requested before is not told here.</remarks>
    IStopWatch Watch(EnvironmentId environment, RunId run);
}

/// <summary>One watch of a run. Dispose it.</summary>
public interface IStopWatch : IDisposable
{
    /// <summary>Cancelled when somebody asks the run to stop.</summary>
    CancellationToken Requested { get; }

    /// <summary>The request; null until <see cref="Requested"/> is cancelled.</summary>
    StopRequest? Request { get; }
}
