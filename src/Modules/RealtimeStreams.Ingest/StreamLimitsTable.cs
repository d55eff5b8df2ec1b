using Microsoft.Extensions.Options;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>What a stream may hold, by its run's streams version.</summary>
internal sealed class StreamLimitsTable(IOptions<IngestOptions> all, IOptions<V1StreamOptions> old, IOptions<V2StreamOptions> current)
{
    private readonly StreamLimits v1 = new(Math.Min(old.Value.MaxStreamBytes, all.Value.MaxStreamBytes), old.Value.MaxChunks);
    private readonly StreamLimits v2 = new(all.Value.MaxStreamBytes, current.Value.MaxChunks ?? long.MaxValue);

    public StreamLimits For(StreamsVersion version) => version == StreamsVersion.V1 ? v1 : v2;
}
