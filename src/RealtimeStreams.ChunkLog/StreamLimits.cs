namespace RealtimeStreams.ChunkLog;

/// <summary>What one stream may hold.</summary>
/// <param name="MaxBytes">The most bytes of all its chunks together, with their attributes; also of those that were given up since.</param>
/// <param name="MaxChunks">The most chunks, likewise; <see cref="long.MaxValue"/> for no limit.</param>
public readonly record struct StreamLimits(long MaxBytes, long MaxChunks);
