namespace RealtimeStreams.ChunkLog;

/// <summary>Small messages between the nodes of a deployment, over the broker they share. Best effort: what must not be lost is in the log or in the registry.</summary>
public interface INodeMessages
{
    /// <summary>Tells all nodes, this one too.</summary>
    /// <param name="topic">What it is about: a word of A-Z a-z 0-9 -.</param>
    /// <param name="message">At most 4 KiB of text.</param>
    /// <param name="cancellationToken">Gives up sending.</param>
    /// <exception cref="LogUnavailableException">The broker is not connected.</exception>
    ValueTask PublishAsync(string topic, string message, CancellationToken cancellationToken);

    /// <summary>Has <paramref name="onMessage"/> called for every message of the topic until the result is disposed.</summary>
    /// <param name="topic">See <see cref="PublishAsync"/>.</param>
    /// <param name="onMessage">Called on the connection's own thread: does not block and does not throw.</param>
    IDisposable Subscribe(string topic, Action<string> onMessage);
}
