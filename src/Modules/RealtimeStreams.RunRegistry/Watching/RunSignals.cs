using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Watching;

/// <summary>The watches of this node. As many as there are requests that wait.</summary>
internal sealed class RunSignals(TimeProvider clock) : IRunSignals
{
    private readonly Lock gate = new();
    private readonly Dictionary<(EnvironmentId, RunId), List<RunSignal>> byRun = [];
    private readonly Dictionary<(EnvironmentId, string), List<RunSignal>> byTask = [];

    public IRunSignal Watch(EnvironmentId environment, RunId run)
    {
        var name = (environment, run);
        var signal = new RunSignal(clock, gone => Remove(byRun, name, gone));
        lock (gate) Add(byRun, name, signal);
        return signal;
    }

    public IRunSignal WatchTriggered(EnvironmentId environment, IReadOnlyCollection<string> tasks)
    {
        var names = tasks.Distinct(StringComparer.Ordinal).Select(task => (environment, task)).ToArray();
        var signal = new RunSignal(clock, gone =>
        {
            foreach (var name in names) Remove(byTask, name, gone);
        });
        lock (gate)
        {
            foreach (var name in names) Add(byTask, name, signal);
        }
        return signal;
    }

    /// <summary>Wakes whoever waits for this. Neither blocks nor throws.</summary>
    public void Wake(RegistryChange change)
    {
        lock (gate)
        {
            if (byRun.TryGetValue((change.Environment, change.Run), out var ofRun))
                foreach (var signal in ofRun) signal.Set();
            if (change is { Kind: RegistryChangeKind.Triggered, TaskId: { } task } && byTask.TryGetValue((change.Environment, task), out var ofTask))
                foreach (var signal in ofTask) signal.Set();
        }
    }

    private static void Add<T>(Dictionary<T, List<RunSignal>> signals, T name, RunSignal signal)
        where T : notnull
    {
        if (signals.TryGetValue(name, out var there)) there.Add(signal);
        else signals[name] = [signal];
    }

    private void Remove<T>(Dictionary<T, List<RunSignal>> signals, T name, RunSignal signal)
        where T : notnull
    {
        lock (gate)
        {
            if (!signals.TryGetValue(name, out var there)) return;
            there.Remove(signal);
            if (there.Count == 0) signals.Remove(name);
        }
    }
}
