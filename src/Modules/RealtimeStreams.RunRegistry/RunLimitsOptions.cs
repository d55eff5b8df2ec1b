using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.RunRegistry;

/// <summary>How many streams a run of streams version v1 may have.</summary>
public sealed class V1RunLimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V1";

    /// <summary>In all. Default: 10 (the seed's table of limits).</summary>
    [Range(1, 10_000_000)]
    public int MaxStreams { get; set; } = 10;

    /// <summary>Not yet closed. Default: 5 (the seed's table of limits).</summary>
    [Range(1, 10_000_000)]
    public int MaxActiveStreams { get; set; } = 5;
}

/// <summary>How many streams a run of streams version v2 may have.</summary>
public sealed class V2RunLimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V2";

    /// <summary>In all. Default: null, no limit.</summary>
    [Range(1, 10_000_000)]
    public int? MaxStreams { get; set; }

    /// <summary>Not yet closed. Default: null, no limit.</summary>
    [Range(1, 10_000_000)]
    public int? MaxActiveStreams { get; set; }
}

[OptionsValidator]
internal sealed partial class V1RunLimitsOptionsValidator : IValidateOptions<V1RunLimitsOptions>;

[OptionsValidator]
internal sealed partial class V2RunLimitsOptionsValidator : IValidateOptions<V2RunLimitsOptions>;
