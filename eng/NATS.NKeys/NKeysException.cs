namespace NATS.NKeys;

/// <summary>A text is not the key that it should be. The message never holds the key.</summary>
public sealed class NKeysException : Exception
{
    /// <summary>Makes one.</summary>
    public NKeysException()
        : this("Not a key.")
    {
    }

    /// <summary>Makes one.</summary>
    public NKeysException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public NKeysException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
