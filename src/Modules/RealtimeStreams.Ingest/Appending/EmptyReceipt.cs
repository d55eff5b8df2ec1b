using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>The receipt of a body without chunks: it tells where the stream is.</summary>
internal static class EmptyReceipt
{
    public static async Task<AppendReceipt> FindAsync(
        IChunkLog log, StreamAddress stream, ProducerPosition? producer, CancellationToken cancellationToken)
    {
        var next = (await log.FindAsync(stream, cancellationToken))?.NextIndex ?? ChunkIndex.Zero;
        return new AppendReceipt(next.Value, next.Value, 0, 0, producer?.Sequence);
    }
}
