namespace RealtimeStreams.ChunkLog;

/// <summary>What one stream may hold, and what is left to its run.</summary>
/// <param name="MaxBytes">The most bytes of all its chunks together, with their attributes. Those that were removed after a trim do not count.</param>
/// <param name="MaxChunks">The most chunks, those that were given up included; <see cref="long.MaxValue"/> for no limit.</param>
/// <param name="RunBytesLeft">The most bytes that may be added now, because the run has a limit. Nothing, when it is negative.</param>
/// <param name="MaxRunBytes">The run's limit, which a refusal names.</param>
public readonly record struct StreamLimits(long MaxBytes, long MaxChunks, long RunBytesLeft = long.MaxValue, long MaxRunBytes = long.MaxValue);
