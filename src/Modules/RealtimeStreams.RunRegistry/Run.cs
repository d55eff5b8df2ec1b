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
    DateTimeOffset? CompletedAt)
{
    /// <summary>Whether it was triggered: registered for a worker to claim it.</summary>
    public bool Triggered { get; init; }

    /// <summary>Whether it was triggered and no worker has claimed it yet.</summary>
    public bool IsQueued => Triggered && Status == RunStatus.Open && StartedAt is null;

    /// <summary>When it was first claimed; a run that was not triggered has started when it was registered.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How often it was claimed; 0 for a run that was not triggered.</summary>
    public int Attempt { get; init; }

    /// <summary>The worker that claimed it last.</summary>
    public string? Worker { get; init; }

    /// <summary>Until when that claim holds; null without a claim and after the end.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>That somebody has asked it to stop; null while nobody has.</summary>
    public StopRequest? Stop { get; init; }

    /// <summary>Whether it has ended and all that follows from that is done: its streams have ended too, and take nothing more.</summary>
    public bool IsSettled { get; init; }

    /// <summary>What it was given, as text of <see cref="PayloadType"/>. Null in lists of runs, like the three below.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload's media type, if said.</summary>
    public string? PayloadType { get; init; }

    /// <summary>What else was said of it, as JSON; opaque here.</summary>
    public string? Metadata { get; init; }

    /// <summary>What it gave when it ended, as text of <see cref="OutputType"/>.</summary>
    public string? Output { get; init; }

    /// <summary>The output's media type, if said.</summary>
    public string? OutputType { get; init; }

    /// <summary>How long its chunks are to be kept, if it said so. What is in force, <see cref="IRetention"/> tells.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Whether it only carries a stream outside of runs (<see cref="INamedStreams"/>). Never shown to a user.</summary>
    public bool IsHidden { get; init; }
}
