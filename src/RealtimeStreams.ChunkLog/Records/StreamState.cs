using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>What a stream is besides its chunks, its end and its producers. Every record has it as of after itself.</summary>
/// <param name="TrimPoint">The first index that was not given up.</param>
/// <param name="LastTimestamp">The timestamp of the last chunk, Unix milliseconds; 0: there was none.</param>
/// <param name="FencingToken">What a fenced append must know; empty at first.</param>
internal readonly record struct StreamState(ChunkIndex TrimPoint, long LastTimestamp, string FencingToken)
{
    public static readonly StreamState Empty = new(ChunkIndex.Zero, 0, "");
}
