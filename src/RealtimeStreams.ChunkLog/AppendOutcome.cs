using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>What an append came to.</summary>
public abstract record AppendOutcome
{
    private AppendOutcome()
    {
    }

    /// <summary>The chunks are stored and confirmed, now or by an earlier attempt.</summary>
    /// <param name="First">The index of the first chunk that was added; when none was, of the first duplicate, or null where that place is not known any more.</param>
    /// <param name="Next">The index after the batch's last chunk.</param>
    /// <param name="Added">How many chunks this call added.</param>
    /// <param name="Duplicates">How many had been stored before.</param>
    /// <param name="NextSequence">The number that the producer's next chunk must have; null without a producer.</param>
    /// <param name="FirstTimestamp">The timestamp of the chunk at <paramref name="First"/>, Unix milliseconds; 0 where it is not known any more.</param>
    /// <param name="LastTimestamp">The timestamp of the chunk before <paramref name="Next"/>; 0 where it is not known any more.</param>
    public sealed record Stored(
        ChunkIndex? First, ChunkIndex Next, int Added, int Duplicates, long? NextSequence, long FirstTimestamp = 0, long LastTimestamp = 0) : AppendOutcome;

    /// <summary>Nothing was stored, unless the code's <see cref="ErrorCode.MayHaveWritten"/> says that it may have been.</summary>
    /// <param name="Refusal">Why.</param>
    /// <param name="ExpectedSequence">For a gap: the number that the producer's next chunk must have.</param>
    /// <param name="ExpectedIndex">For another <see cref="ChunkBatch.ExpectedIndex"/>: the stream's next index.</param>
    /// <param name="ExpectedFencingToken">For another <see cref="ChunkBatch.FencingToken"/>: the stream's token.</param>
    public sealed record Refused(
        Refusal Refusal, long? ExpectedSequence = null, long? ExpectedIndex = null, string? ExpectedFencingToken = null) : AppendOutcome;
}

/// <summary>What a close came to.</summary>
public abstract record CloseOutcome
{
    private CloseOutcome()
    {
    }

    /// <summary>The stream has ended, durably.</summary>
    /// <param name="Next">The number of its chunks, for ever.</param>
    /// <param name="Outcome">How it ended.</param>
    /// <param name="AlreadyClosed">Whether it had ended before.</param>
    public sealed record Closed(ChunkIndex Next, Outcome Outcome, bool AlreadyClosed) : CloseOutcome;

    /// <summary>Nothing was stored, unless the code's <see cref="ErrorCode.MayHaveWritten"/> says that it may have been.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : CloseOutcome;
}
