namespace RealtimeStreams.EmbeddedBroker;

/// <summary>
/// A nats-server of our own, running beside this process: started before any hosted service starts, restarted when it crashes, and ended after
/// all of them have stopped.
/// </summary>
public interface IEmbeddedBroker
{
    /// <summary>
    /// Where the broker is; waits until it runs. The address stays the same for the life of this process, also when the broker is restarted.
    /// Never completes in a process whose host is not started.
    /// </summary>
    /// <exception cref="EmbeddedBrokerException">The broker could not be started.</exception>
    /// <exception cref="NatsServerNotFoundException">There is no nats-server, and none could be fetched.</exception>
    ValueTask<EmbeddedBrokerAddress> GetAddressAsync(CancellationToken cancellationToken);

    /// <summary>The server's process id; null while none runs.</summary>
    int? ProcessId { get; }
}
