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
    RunId? Id, string? TaskId, RunId? Parent, RunId? Root, IReadOnlyList<string> Tags, StreamsVersion StreamsVersion);
