namespace RealtimeStreams.ChunkLog;

/// <summary>What one stream may hold.</summary>
/// <param name="MaxBytes">The most bytes of all its chunks together, with their attributes. Those that were removed after a trim do not count.</param>
/// <param name="MaxChunks">The most chunks, those that were given up included; <see cref="long.MaxValue"/> for no limit.</param>
public readonly record struct StreamLimits(long MaxBytes, long MaxChunks);
