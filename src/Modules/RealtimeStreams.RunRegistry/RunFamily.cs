using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Where a run stands in its chain.</summary>
/// <param name="Parent">The run that started it; null when none was named.</param>
/// <param name="Root">The first run of the chain; null when this is it.</param>
public sealed record RunFamily(RunId? Parent, RunId? Root);
