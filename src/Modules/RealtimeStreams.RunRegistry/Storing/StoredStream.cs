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
}
