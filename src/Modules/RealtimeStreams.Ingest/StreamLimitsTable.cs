using Microsoft.Extensions.Options;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>What a stream may hold, by its run's streams version: the seed's table of limits.</summary>
internal sealed class StreamLimitsTable(IOptions<IngestOptions> options)
{
    private const long OldMaxBytes = 10L * 1024 * 1024;
    private const long OldMaxChunks = 2000;

    private readonly StreamLimits v1 = new(Math.Min(OldMaxBytes, options.Value.MaxStreamBytes), OldMaxChunks);
    private readonly StreamLimits v2 = new(options.Value.MaxStreamBytes, long.MaxValue);

    public StreamLimits For(StreamsVersion version) => version == StreamsVersion.V1 ? v1 : v2;
}
