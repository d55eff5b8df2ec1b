using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.Retention;

/// <summary>How often, and how much at a time, cut-off work, abandoned streams and expired chunks are looked for.</summary>
public sealed class SweepOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:Sweep";

    /// <summary>From one sweep to the next, give or take a quarter, so that servers started together drift apart. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>From the start to the first sweep, and from one to the next while there is more to do, give or take a quarter. Default: 2 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00")]
    public TimeSpan ShortInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The most runs that one sweep takes up. Default: 100.</summary>
    [Range(1, 1000)]
    public int MaxRuns { get; set; } = 100;

    /// <summary>From one look for streams whose writers are gone to the next, give or take a quarter. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan LeaseInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long writers have, once their lease was found to be over, to come back after an outage that was none of theirs. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00")]
    public TimeSpan LeaseGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The most streams that one look takes up. Default: 100.</summary>
    [Range(1, 1000)]
    public int MaxStreams { get; set; } = 100;

    /// <summary>From one look for expired chunks to the next, give or take a quarter. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan ExpiryInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>After how long another server takes up a stream that one began to expire and did not finish. Default: 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00")]
    public TimeSpan ExpiryClaim { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The most streams that one look for expired chunks takes up. Default: 500.</summary>
    [Range(1, 1000)]
    public int MaxExpiries { get; set; } = 500;
}

[OptionsValidator]
internal sealed partial class SweepOptionsValidator : IValidateOptions<SweepOptions>;
