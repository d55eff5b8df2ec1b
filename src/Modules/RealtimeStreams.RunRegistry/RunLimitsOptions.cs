using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a run of streams version v1 and its streams may hold, at most. An environment may have less.</summary>
public sealed class V1RunLimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V1";

    /// <summary>The most streams of a run in all. Default: 10 (the seed's table of limits).</summary>
    [Range(1, 10_000_000)]
    public int MaxStreams { get; set; } = 10;

    /// <summary>The most streams of a run that are not yet closed. Default: 5 (the seed's table of limits).</summary>
    [Range(1, 10_000_000)]
    public int MaxActiveStreams { get; set; } = 5;

    /// <summary>The most chunks of a stream, those that expired included. Default: 2,000 (the seed's table of limits).</summary>
    [Range(typeof(long), "1", "1000000000000")]
    public long MaxChunks { get; set; } = 2000;

    /// <summary>The most bytes of a stream, and never more than <see cref="RunRegistryOptions.MaxStreamBytes"/>. Default: 10,485,760 (10 MiB, the seed's table of limits).</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxStreamBytes { get; set; } = 10L * 1024 * 1024;

    /// <summary>The most bytes of all streams of a run together, those that expired included. Default: null, no limit: <see cref="MaxStreams"/> and <see cref="MaxStreamBytes"/> bound it.</summary>
    [Range(typeof(long), "1", "1125899906842624")]
    public long? MaxRunBytes { get; set; }
}

/// <summary>What a run of streams version v2 and its streams may hold, at most, beside <see cref="RunRegistryOptions.MaxStreamBytes"/>. An environment may have less.</summary>
public sealed class V2RunLimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V2";

    /// <summary>The most streams of a run in all. Default: null, no limit.</summary>
    [Range(1, 10_000_000)]
    public int? MaxStreams { get; set; }

    /// <summary>The most streams of a run that are not yet closed. Default: null, no limit.</summary>
    [Range(1, 10_000_000)]
    public int? MaxActiveStreams { get; set; }

    /// <summary>The most chunks of a stream, those that expired included. Default: null, no limit.</summary>
    [Range(typeof(long), "1", "1000000000000")]
    public long? MaxChunks { get; set; }

    /// <summary>The most bytes of all streams of a run together, those that expired included. Default: null, no limit.</summary>
    [Range(typeof(long), "1", "1125899906842624")]
    public long? MaxRunBytes { get; set; }
}

[OptionsValidator]
internal sealed partial class V1RunLimitsOptionsValidator : IValidateOptions<V1RunLimitsOptions>;

[OptionsValidator]
internal sealed partial class V2RunLimitsOptionsValidator : IValidateOptions<V2RunLimitsOptions>;
