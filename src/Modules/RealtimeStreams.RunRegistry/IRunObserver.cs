using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Reacts to what happens to runs. Its calls are repeated after a crash and may overlap, so they are idempotent.</summary>
public interface IRunObserver
{
    /// <summary>The run has ended, and no new stream of it can be admitted: end those that are open.</summary>
    Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken);

    /// <summary>The run is being erased: erase what is stored of it.</summary>
    Task OnErasingAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);
}
