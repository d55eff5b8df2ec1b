using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>runs</c>.</summary>
internal sealed class StoredRun
{
    public required string Environment { get; init; }

    public required string Id { get; init; }

    public string? TaskId { get; init; }

    public string? Parent { get; init; }

    public string? Root { get; init; }

    public required string[] Tags { get; init; }

    public RunStatus Status { get; init; }

    public StreamsVersion Version { get; init; }

    public string? Error { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Rows of <c>streams</c>. Counting up is also what locks the run while one is being made.</summary>
    public int StreamCount { get; init; }

    public PendingWork Pending { get; init; }

    /// <summary>When <see cref="Pending"/> was set, or claimed for a repetition the last time.</summary>
    public DateTimeOffset? PendingSince { get; init; }

    public Run ToRun() => new(
        RunId.Parse(Id),
        TaskId,
        Parent is null ? null : RunId.Parse(Parent),
        Root is null ? null : RunId.Parse(Root),
        Tags,
        Status,
        Version,
        Error,
        CreatedAt,
        CompletedAt);
}
