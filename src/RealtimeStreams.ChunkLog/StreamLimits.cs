namespace RealtimeStreams.ChunkLog;

/// <summary>What one stream may hold.</summary>
/// <param name="MaxBytes">The most bytes of all its chunks together.</param>
/// <param name="MaxChunks">The most chunks; <see cref="long.MaxValue"/> for no limit.</param>
public readonly record struct StreamLimits(long MaxBytes, long MaxChunks);
