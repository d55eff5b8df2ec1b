namespace RealtimeStreams.ChunkLog.Broker;

internal enum PublishKind
{
    /// <summary>The broker has stored the record.</summary>
    Stored,

    /// <summary>The record's expected predecessor is not the last record of the subject.</summary>
    Conflict,

    /// <summary>No answer came: it may be stored, or be stored yet.</summary>
    Unknown,

    /// <summary>The broker has no room.</summary>
    Full,

    /// <summary>The broker refuses it for another reason.</summary>
    Rejected,
}

internal readonly record struct PublishOutcome(PublishKind Kind, ulong Sequence = 0, string? Reason = null);
