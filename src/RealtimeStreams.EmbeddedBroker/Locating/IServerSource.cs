namespace RealtimeStreams.EmbeddedBroker.Locating;

/// <summary>A place that a nats-server can be fetched from.</summary>
internal interface IServerSource
{
    /// <summary>What it is called in messages.</summary>
    string Name { get; }

    /// <summary>Puts the executable into <paramref name="folder"/>, an empty folder, which may also take what is needed on the way.</summary>
    /// <returns>The executable's path.</returns>
    /// <exception cref="ServerSourceException">It cannot be had here; the message says why.</exception>
    Task<string> FetchAsync(string folder, CancellationToken cancellationToken);
}

/// <summary>A source did not give a nats-server. The message is the reason, without the source's name.</summary>
internal sealed class ServerSourceException(string message, Exception? innerException = null) : Exception(message, innerException);
