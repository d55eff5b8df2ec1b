using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>runs</c>.</summary>
internal sealed class StoredRun
{
    public required string Environment { get; init; }

    public required string Id { get; init; }

    public RunKind Kind { get; init; }

    public string? TaskId { get; init; }

    public string? Parent { get; init; }

    public string? Root { get; init; }

    public required string[] Tags { get; init; }

    public RunStatus Status { get; init; }

    public StreamsVersion Version { get; init; }

    public string? Error { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>With the task and the environment it names at most one run.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Whether it waits for a worker to claim it, or did.</summary>
    public bool Triggered { get; init; }

    /// <summary>When a worker first claimed it.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How often it was claimed.</summary>
    public int Attempt { get; init; }

    /// <summary>Who claimed it last.</summary>
    public string? Worker { get; init; }

    /// <summary>While a triggered run is open: when it was triggered, and once it is claimed, when the lease ends. Null otherwise.</summary>
    public DateTimeOffset? ClaimableAt { get; init; }

    /// <summary>When somebody asked it to stop.</summary>
    public DateTimeOffset? StopRequestedAt { get; init; }

    public string? StopReason { get; init; }

    public string? StopRequestedBy { get; init; }

    /// <summary>When a worker of it said that it knows.</summary>
    public DateTimeOffset? StopSeenAt { get; init; }

    public string? StopSeenBy { get; init; }

    /// <summary>Rows of <c>streams</c>. Counting up is also what locks the run while one is being made.</summary>
    public int StreamCount { get; init; }

    /// <summary>How long its chunks are kept, in seconds, if it said so.</summary>
    public int? Retention { get; init; }

    /// <summary>The bytes of its streams that servers have told of, those that expired included.</summary>
    public long Bytes { get; init; }

    public PendingWork Pending { get; init; }

    /// <summary>When <see cref="Pending"/> was set, or claimed for a repetition the last time.</summary>
    public DateTimeOffset? PendingSince { get; init; }

    public Run ToRun(StoredRunData? data = null) => new(
        RunId.Parse(Id),
        TaskId,
        Parent is null ? null : RunId.Parse(Parent),
        Root is null ? null : RunId.Parse(Root),
        Tags,
        Status,
        Version,
        Error,
        CreatedAt,
        CompletedAt)
    {
        Triggered = Triggered,
        StartedAt = Triggered ? StartedAt : CreatedAt,
        Attempt = Attempt,
        Worker = Worker,
        LeaseUntil = Attempt > 0 ? ClaimableAt : null,
        Stop = StopRequestedAt is { } asked ? new StopRequest(asked, StopReason, StopRequestedBy, StopSeenAt, StopSeenBy) : null,
        IsSettled = Status != RunStatus.Open && Pending != PendingWork.Completion,
        Payload = data?.Payload,
        PayloadType = data?.PayloadType,
        Metadata = data?.Metadata,
        Output = data?.Output,
        OutputType = data?.OutputType,
        Retention = Retention is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        IsHidden = Kind == RunKind.Hidden,
    };
}
