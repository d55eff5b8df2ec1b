using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.Ingest;

/// <summary>Limits of what is taken in.</summary>
public sealed class IngestOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "RealtimeStreams";

    /// <summary>The most bytes of all chunks of one stream. Default: 314,572,800 (300 MiB, the seed's table of limits).</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxStreamBytes { get; set; } = 300L * 1024 * 1024;
}

[OptionsValidator]
internal sealed partial class IngestOptionsValidator : IValidateOptions<IngestOptions>;
