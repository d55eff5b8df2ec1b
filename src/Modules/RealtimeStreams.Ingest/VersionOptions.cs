using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.Ingest;

/// <summary>What a stream of a run of streams version v1 may hold.</summary>
public sealed class V1StreamOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V1";

    /// <summary>The most chunks, those that expired included. Default: 2,000 (the seed's table of limits).</summary>
    [Range(1L, long.MaxValue)]
    public long MaxChunks { get; set; } = 2000;

    /// <summary>The most bytes of all chunks, and never more than <see cref="IngestOptions.MaxStreamBytes"/>. Default: 10,485,760 (10 MiB, the seed's table of limits).</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxStreamBytes { get; set; } = 10L * 1024 * 1024;
}

/// <summary>What a stream of a run of streams version v2 may hold beside <see cref="IngestOptions.MaxStreamBytes"/>.</summary>
public sealed class V2StreamOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V2";

    /// <summary>The most chunks, those that expired included. Default: null, no limit.</summary>
    [Range(1L, long.MaxValue)]
    public long? MaxChunks { get; set; }
}

[OptionsValidator]
internal sealed partial class V1StreamOptionsValidator : IValidateOptions<V1StreamOptions>;

[OptionsValidator]
internal sealed partial class V2StreamOptionsValidator : IValidateOptions<V2StreamOptions>;
