namespace RealtimeStreams.RunRegistry;

/// <summary>What a run and each of its streams may hold.</summary>
/// <param name="MaxStreamBytes">The most bytes of a stream. What expired, or was removed after a trim, does not count.</param>
/// <param name="MaxChunks">The most chunks of a stream, those that expired included; null for no limit.</param>
/// <param name="MaxStreams">The most streams of the run in all; null for no limit.</param>
/// <param name="MaxActiveStreams">The most streams of the run that have not ended; null for no limit.</param>
/// <param name="MaxRunBytes">The most bytes of all streams of the run together, those that expired included; null for no limit. Streams outside of runs have none.</param>
public readonly record struct RunLimits(long MaxStreamBytes, long? MaxChunks, int? MaxStreams, int? MaxActiveStreams, long? MaxRunBytes = null);
