using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>What is left of a stream after old chunks were given up.</summary>
/// <param name="FirstIndex">The first index that can still be read.</param>
/// <param name="NextIndex">The index that the next chunk will get; the same when nothing is left. Chunks that came during the call are not counted.</param>
/// <param name="OldestAppendAt">When the oldest chunk that is left was admitted, or a little before; null when nothing is left.</param>
/// <param name="End">How the stream ended; null while it is open.</param>
/// <param name="Expired">How many chunks this call gave up.</param>
public sealed record StreamExpiry(ChunkIndex FirstIndex, ChunkIndex NextIndex, DateTimeOffset? OldestAppendAt, Outcome? End, long Expired);
