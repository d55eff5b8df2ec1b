using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.RunRegistry;

/// <summary>How long chunks of runs of streams version v1 are kept.</summary>
public sealed class V1RetentionOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams:V1";

    /// <summary>Unless the run asked for another one; never longer than the environment's. Default: 1 day (the seed's table of limits).</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(1);
}

[OptionsValidator]
internal sealed partial class V1RetentionOptionsValidator : IValidateOptions<V1RetentionOptions>;
