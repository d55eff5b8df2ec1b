namespace RealtimeStreams.EmbeddedBroker;

/// <summary>No usable nats-server was found or could be fetched. The message names every way that was tried, and what to do.</summary>
public sealed class NatsServerNotFoundException : Exception
{
    /// <summary>Makes one.</summary>
    public NatsServerNotFoundException()
        : this("No nats-server was found.")
    {
    }

    /// <summary>Makes one.</summary>
    public NatsServerNotFoundException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public NatsServerNotFoundException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
