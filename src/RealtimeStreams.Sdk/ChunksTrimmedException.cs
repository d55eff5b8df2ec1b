using System.Globalization;

namespace RealtimeStreams.Sdk;

/// <summary>Chunks that a reader wanted are gone: expired, or over a limit. Enumerate the read again to go on with the first that is left.</summary>
public sealed class ChunksTrimmedException : Exception
{
    /// <summary>Makes an exception without details.</summary>
    public ChunksTrimmedException()
        : this("Chunks are gone.")
    {
    }

    /// <summary>Makes an exception with a text.</summary>
    public ChunksTrimmedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception with a text and a cause.</summary>
    public ChunksTrimmedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes an exception that tells which chunks are gone.</summary>
    public ChunksTrimmedException(long requestedIndex, long firstIndex)
        : base(string.Create(CultureInfo.InvariantCulture, $"The chunks from index {requestedIndex} to before {firstIndex} are gone."))
    {
        RequestedIndex = requestedIndex;
        FirstIndex = firstIndex;
    }

    /// <summary>The index that the reader wanted.</summary>
    public long RequestedIndex { get; }

    /// <summary>The first index that can still be read.</summary>
    public long FirstIndex { get; }
}
