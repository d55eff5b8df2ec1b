namespace RealtimeStreams.EmbeddedBroker;

/// <summary>The embedded broker could not be started. The message says why, and what to do.</summary>
public sealed class EmbeddedBrokerException : Exception
{
    /// <summary>Makes one.</summary>
    public EmbeddedBrokerException()
        : this("The embedded broker could not be started.")
    {
    }

    /// <summary>Makes one.</summary>
    public EmbeddedBrokerException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public EmbeddedBrokerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
