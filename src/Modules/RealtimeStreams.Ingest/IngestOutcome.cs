using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>What an append came to.</summary>
public abstract record IngestOutcome
{
    private IngestOutcome()
    {
    }

    /// <summary>All chunks of the body are stored and confirmed, now or by an earlier attempt.</summary>
    /// <param name="Receipt">Where they stand.</param>
    public sealed record Stored(AppendReceipt Receipt) : IngestOutcome;

    /// <summary>A chunk was refused; with it, all that followed it in the body.</summary>
    /// <param name="Refusal">Why.</param>
    /// <param name="Receipt">Where the chunks before it stand; null when none was stored.</param>
    /// <param name="ExpectedSequence">For a gap: the number that the producer's next chunk must have.</param>
    public sealed record Refused(Refusal Refusal, AppendReceipt? Receipt = null, long? ExpectedSequence = null) : IngestOutcome;

    /// <summary>The body broke off, or reading it was cancelled. What was complete before that is stored.</summary>
    /// <param name="Receipt">Where the chunks stand; null when none was stored.</param>
    /// <param name="Cause">What ended the body.</param>
    public sealed record Interrupted(AppendReceipt? Receipt, Exception Cause) : IngestOutcome;
}
