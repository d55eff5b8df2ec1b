using RealtimeStreams.ChunkLog;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Appending;

internal static class LimitsOfStreams
{
    /// <summary>The limits as the log wants them.</summary>
    public static StreamLimits OfStream(this RunLimits limits) => new(limits.MaxStreamBytes, limits.MaxChunks ?? long.MaxValue);
}
