using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.ChunkLog;

/// <summary>Settings of the log, in the section <c>RealtimeStreams</c>.</summary>
public sealed class ChunkLogOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams";

    /// <summary>How long an append waits for the broker to confirm. Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan ConfirmTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>On how many brokers of a cluster the shards are kept: 1 or 3. Default: 1. Existing shards keep what they have.</summary>
    [Range(1, 5)]
    public int Replicas { get; set; } = 1;

    /// <summary>The most bytes that all shards together may use on disk; then appends are refused. Default: null, the broker's own limit.</summary>
    [Range(16L * 1024 * 1024, long.MaxValue)]
    public long? MaxStoreBytes { get; set; }

    /// <summary>The most bytes of one chunk. Lowered at start where the broker's <c>max_payload</c> leaves less. Default: 1 MiB.</summary>
    [Range(1024, 8 * 1024 * 1024)]
    public int MaxChunkBytes { get; set; } = 1024 * 1024;

    /// <summary>The most bytes of chunks that wait for the broker in this process; beyond that appends are refused as busy. Default: 256 MiB.</summary>
    [Range(16L * 1024 * 1024, 64L * 1024 * 1024 * 1024)]
    public long MaxQueuedBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>The most bytes of newest records that are kept in memory for readers in this process. Default: 256 MiB.</summary>
    [Range(1L * 1024 * 1024, 64L * 1024 * 1024 * 1024)]
    public long MaxRingBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>How many streams' heads this process remembers. Default: 20,000 (about 2 KB each with three producers).</summary>
    [Range(100, 10_000_000)]
    public int MaxCachedHeads { get; set; } = 20_000;
}

[OptionsValidator]
internal sealed partial class ChunkLogOptionsValidator : IValidateOptions<ChunkLogOptions>;
