using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>What is stored of a stream.</summary>
/// <param name="FirstIndex">The first index that can still be read: what is before it has expired or was given up.</param>
/// <param name="NextIndex">The index that the next chunk will get.</param>
/// <param name="Bytes">The bytes of all chunks ever appended.</param>
/// <param name="End">How it ended; null while it is open.</param>
/// <param name="Producers">The 64 producers that wrote last.</param>
/// <param name="FirstAppendAt">When the first chunk that can still be read was admitted.</param>
/// <param name="LastAppendAt">When the last record was admitted.</param>
/// <param name="LastTimestamp">The timestamp of the last chunk, Unix milliseconds; 0: there was none.</param>
public sealed record StreamSummary(
    ChunkIndex FirstIndex,
    ChunkIndex NextIndex,
    long Bytes,
    Outcome? End,
    IReadOnlyList<ProducerState> Producers,
    DateTimeOffset FirstAppendAt,
    DateTimeOffset LastAppendAt,
    long LastTimestamp = 0);

/// <summary>What a stream remembers of a producer.</summary>
/// <param name="Id">The producer.</param>
/// <param name="Epoch">Its newest epoch, 0 to 4294967295.</param>
/// <param name="LastSequence">The number of its last stored chunk in that epoch.</param>
/// <param name="LastIndex">That chunk's index.</param>
public readonly record struct ProducerState(ProducerId Id, uint Epoch, long LastSequence, ChunkIndex LastIndex);
