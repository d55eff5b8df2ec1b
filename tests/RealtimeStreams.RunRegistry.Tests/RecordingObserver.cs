using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>Closes the streams of ended runs like the product's own observer, writes down what it was called for, and fails on demand.</summary>
public sealed class RecordingObserver(IRunRegistry registry) : IRunObserver
{
    private readonly Lock gate = new();
    private readonly List<string> calls = [];

    /// <summary>Thrown by each call while set, as if the broker were gone.</summary>
    public Exception? Failure { get; set; }

    /// <summary>What each erasure waits for.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (gate) return [.. calls];
        }
    }

    public async Task OnCompletedAsync(EnvironmentId environment, RunId run, Outcome outcome, CancellationToken cancellationToken)
    {
        Record($"completed {environment}/{run} {outcome.ToWord()}");
        foreach (var stream in await registry.ListStreamsAsync(environment, run, cancellationToken))
            await registry.MarkClosedAsync(new StreamAddress(environment, run, stream.Key), outcome, cancellationToken);
    }

    public Task OnErasingAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        Record($"erasing {environment}/{run}");
        return Hold;
    }

    private void Record(string call)
    {
        lock (gate) calls.Add(call);
        if (Failure is { } failure) throw failure;
    }
}
