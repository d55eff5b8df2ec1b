using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Wakes those who wait for something to happen to runs, on whatever node it happens.</summary>
/// <remarks>Begin to watch, then look, then wait: so that nothing falls between. An announcement can be lost, so look again after some seconds anyway.</remarks>
public interface IRunSignals
{
    /// <summary>Watches one run: it is claimed, gets a new stream, ends, or is erased. Dispose the result.</summary>
    IRunSignal Watch(EnvironmentId environment, RunId run);

    /// <summary>Watches for newly triggered runs of any of these tasks. Dispose the result.</summary>
    IRunSignal WatchTriggered(EnvironmentId environment, IReadOnlyCollection<string> tasks);
}

/// <summary>One watch. For one who waits at a time.</summary>
public interface IRunSignal : IDisposable
{
    /// <summary>Waits until something has happened since the watch began or the last wait ended (true), or the time is over (false).</summary>
    ValueTask<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken);
}
