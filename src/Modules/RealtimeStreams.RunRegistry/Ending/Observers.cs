using Microsoft.Extensions.DependencyInjection;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Calls all observers, one after another. The first failure stops it: the call is repeated as a whole.</summary>
/// <param name="services">Asked at each call and not before, because observers use the registry themselves.</param>
internal sealed class Observers(IServiceProvider services)
{
    public async Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken)
    {
        foreach (var observer in services.GetServices<IRunObserver>())
            await observer.OnCompletedAsync(environment, run, outcome, cancellationToken);
    }

    public async Task OnErasingAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        foreach (var observer in services.GetServices<IRunObserver>())
            await observer.OnErasingAsync(environment, run, cancellationToken);
    }
}
