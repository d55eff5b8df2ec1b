namespace RealtimeStreams.ChunkLog;

/// <summary>The broker did not answer in time.</summary>
public sealed class LogUnavailableException : Exception
{
    /// <summary>Makes one.</summary>
    public LogUnavailableException()
        : this("The broker did not answer in time.")
    {
    }

    /// <summary>Makes one.</summary>
    public LogUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public LogUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
