using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>streams</c>.</summary>
internal sealed class StoredStream
{
    public required string Environment { get; init; }

    public required string Run { get; init; }

    public required string Key { get; init; }

    /// <summary>What it is listed as among all streams; null for a hidden run's, which has a row in <c>named_streams</c>.</summary>
    public string? Name { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public Outcome? Outcome { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Until when its writers count as there, as far as was noted; null: nothing is waited for, because it has ended or has no lease.</summary>
    public DateTimeOffset? WriterUntil { get; init; }

    /// <summary>How long its writers may be gone, in seconds; null: as the server's setting says.</summary>
    public int? WriterLease { get; init; }

    /// <summary>Whether the lease was found to be over, so that it is only waited for a last renewal.</summary>
    public bool WriterDoubted { get; init; }

    /// <summary>When something of it may expire next, as far as was noted; null: nothing can any more.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
