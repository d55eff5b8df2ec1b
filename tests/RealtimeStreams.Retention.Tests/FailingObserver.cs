using System.Collections.Concurrent;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention.Tests;

/// <summary>Writes down what it was called for, and fails as long as it is told to, as if the broker were gone.</summary>
internal sealed class FailingObserver : IRunObserver
{
    public bool Fails { get; set; }

    public ConcurrentQueue<string> Calls { get; } = new();

    public Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken) =>
        CallAsync($"completed {run} {outcome.ToWord()}");

    public Task OnErasingAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) => CallAsync($"erasing {run}");

    private Task CallAsync(string call)
    {
        Calls.Enqueue(call);
        return Fails ? Task.FromException(new TimeoutException("The broker is gone.")) : Task.CompletedTask;
    }
}
