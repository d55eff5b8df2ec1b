using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>streams</c>.</summary>
internal sealed class StoredStream
{
    public required string Environment { get; init; }

    public required string Run { get; init; }

    public required string Key { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public Outcome? Outcome { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }
}
