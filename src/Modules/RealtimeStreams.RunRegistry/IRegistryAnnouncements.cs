using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Tells the nodes of a run that ended or was erased, so that they forget what they remember of it.</summary>
/// <remarks>Best effort: what is missed expires by itself. The default reaches only this process; a server with several nodes registers its own.</remarks>
public interface IRegistryAnnouncements
{
    /// <summary>Tells all nodes. A failure is thrown, logged by the registry and changes nothing else.</summary>
    ValueTask PublishAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken);

    /// <summary>Has <paramref name="onChanged"/> called for every announcement, possibly this node's own too, until the result is disposed.</summary>
    /// <param name="onChanged">Does not block and does not throw.</param>
    IDisposable Subscribe(Action<EnvironmentId, RunId> onChanged);
}
