using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Which runs to list.</summary>
public sealed record RunQuery
{
    /// <summary>Only runs that stand there.</summary>
    public RunStatus? Status { get; init; }

    /// <summary>Only runs with this tag.</summary>
    public string? Tag { get; init; }

    /// <summary>Only runs of this task.</summary>
    public string? TaskId { get; init; }

    /// <summary>Goes on after a page: its <see cref="RunPage.NextCursor"/>.</summary>
    public string? Cursor { get; init; }

    /// <summary>The most runs of a page, 1 to 200; 50 when absent.</summary>
    public int? Limit { get; init; }
}
