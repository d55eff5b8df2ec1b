using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Gives triggered runs to workers, each to one at a time.</summary>
/// <exception cref="RegistryUnavailableException">Thrown by every call when the database cannot be reached.</exception>
public interface IRunClaims
{
    /// <summary>Claims the run of these tasks that has waited longest. On any number of nodes, exactly one claim wins it.</summary>
    /// <remarks>A claimed run whose lease ran out waits again: the next claim is its next attempt, and the one before is lost.</remarks>
    /// <param name="environment">The tenant.</param>
    /// <param name="tasks">What the worker can run: 1 to 100 task ids.</param>
    /// <param name="worker">Who claims, 1 to 256 bytes without control characters.</param>
    /// <param name="lease">For how long, 1 second to 1 hour, unless renewed.</param>
    /// <param name="cancellationToken">Gives up. A run may have been claimed; it waits again when its lease is over.</param>
    Task<ClaimOutcome> ClaimAsync(
        EnvironmentId environment, IReadOnlyList<string> tasks, string worker, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Has a claim hold for another lease from now on, also when its lease ran out and nobody has claimed the run since.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="worker">Who claimed it.</param>
    /// <param name="attempt">The <see cref="Run.Attempt"/> that the claim gave.</param>
    /// <param name="lease">For how long, 1 second to 1 hour.</param>
    /// <param name="cancellationToken">Gives up; the claim may have been renewed.</param>
    Task<RenewOutcome> RenewAsync(
        EnvironmentId environment, RunId run, string worker, int attempt, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Gives a claimed run back: it waits again at once, in front of what was triggered later. The next claim is its next attempt.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="worker">Who claimed it.</param>
    /// <param name="attempt">The <see cref="Run.Attempt"/> that the claim gave.</param>
    /// <param name="cancellationToken">Gives up; the run may have been given back.</param>
    /// <returns>Renewed, with a lease that is over.</returns>
    Task<RenewOutcome> ReleaseAsync(EnvironmentId environment, RunId run, string worker, int attempt, CancellationToken cancellationToken);
}
