using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What is said of a run when it is registered.</summary>
/// <param name="Id">Its id; made by the registry when null.</param>
/// <param name="TaskId">What is being run; 1 to 256 bytes without control characters.</param>
/// <param name="Parent">The run that started it.</param>
/// <param name="Root">The first of the chain; the parent's root (or the parent) when null.</param>
/// <param name="Tags">At most 32 of 1 to 128 bytes without control characters. One that is given twice counts once.</param>
/// <param name="StreamsVersion">Decides its limits.</param>
public sealed record RunRegistration(
    RunId? Id, string? TaskId, RunId? Parent, RunId? Root, IReadOnlyList<string> Tags, StreamsVersion StreamsVersion)
{
    /// <summary>What the run is given, at most 1 MiB of UTF-8 without U+0000. Null: nothing.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload's media type, 1 to 256 bytes.</summary>
    public string? PayloadType { get; init; }

    /// <summary>What else is said of it, as JSON; opaque here. At most 1 MiB of UTF-8 without U+0000.</summary>
    public string? Metadata { get; init; }

    /// <summary>
    /// With the task it names the run, 1 to 2,048 bytes without control characters: repeated, it finds the first run, whatever else is said. Needs a
    /// <see cref="TaskId"/>. Remembered for as long as the run is.
    /// </summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>How long the run's chunks are to be kept: whole seconds, <see cref="IRetention.Shortest"/> to the environment's. Null: as its version and the environment say.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Whether the run waits for a worker to claim it (<see cref="IRunClaims"/>). Needs a <see cref="TaskId"/>.</summary>
    public bool Triggered { get; init; }
}
