using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>A run. Times are UTC, in whole microseconds.</summary>
public sealed record Run(
    RunId Id,
    string? TaskId,
    RunId? Parent,
    RunId? Root,
    IReadOnlyList<string> Tags,
    RunStatus Status,
    StreamsVersion StreamsVersion,
    string? Error,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt);
