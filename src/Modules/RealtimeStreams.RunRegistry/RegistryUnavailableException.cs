namespace RealtimeStreams.RunRegistry;

/// <summary>The registry's database cannot be reached, or did not answer in time. A change may have been stored all the same; every call may be repeated.</summary>
public sealed class RegistryUnavailableException : Exception
{
    /// <summary>Makes one.</summary>
    public RegistryUnavailableException()
        : this("The registry's database cannot be reached.")
    {
    }

    /// <summary>Makes one.</summary>
    public RegistryUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public RegistryUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
