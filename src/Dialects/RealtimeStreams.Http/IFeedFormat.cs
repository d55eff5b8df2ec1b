using System.Buffers;
using RealtimeStreams.Read;

namespace RealtimeStreams.Http;

/// <summary>How a live read looks on the wire of one dialect. What it writes is flushed by the <see cref="FeedLoop"/>.</summary>
public interface IFeedFormat
{
    /// <summary>Writes the chunks of a step of kind <see cref="ReadStepKind.Chunks"/>.</summary>
    /// <param name="step">The step.</param>
    /// <param name="read">The read, which is behind the step already.</param>
    /// <param name="output">Where to.</param>
    /// <returns>The bytes written.</returns>
    int WriteChunks(in ReadStep step, IStreamRead read, IBufferWriter<byte> output);

    /// <summary>Writes that everything stored has been delivered.</summary>
    void WriteCaughtUp(IStreamRead read, IBufferWriter<byte> output);

    /// <summary>Writes that the chunks before a step's index, of kind <see cref="ReadStepKind.Trimmed"/>, are gone.</summary>
    void WriteTrimmed(in ReadStep step, IBufferWriter<byte> output);

    /// <summary>Writes a sign of life.</summary>
    void WriteHeartbeat(IStreamRead read, IBufferWriter<byte> output);
}

/// <summary>Why a feed came to its end.</summary>
public enum FeedEnd
{
    /// <summary>The stream has ended and all of it was sent.</summary>
    Ended,

    /// <summary>The stream was erased under the reader.</summary>
    Erased,

    /// <summary>No chunk came for as long as the reader waits.</summary>
    TimedOut,

    /// <summary>The client has gone.</summary>
    ClientGone,
}
