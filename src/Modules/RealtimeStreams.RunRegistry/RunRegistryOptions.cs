using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace RealtimeStreams.RunRegistry;

/// <summary>Settings of the registry. With the connection string <c>registry</c> it lives in PostgreSQL, without in SQLite.</summary>
public sealed class RunRegistryOptions
{
    /// <summary>The section that holds <see cref="DataDirectory"/>, <see cref="SecretKey"/>, <see cref="Retention"/>, <see cref="MaxStreamBytes"/>, <see cref="MaxOpenRuns"/> and <see cref="WriterLease"/>, which users know best.</summary>
    public const string SharedSection = "RealtimeStreams";

    /// <summary>The section that holds the rest.</summary>
    public const string Section = "RealtimeStreams:RunRegistry";

    /// <summary>Where embedded data lives: <c>registry.db</c> and <c>secret-key</c>. Default: <c>.data</c> under the working directory.</summary>
    [Required]
    public string DataDirectory { get; set; } = ".data";

    /// <summary>The secret key of the default environment, 16 to 256 visible ASCII characters. Absent: made once and kept in the data directory.</summary>
    [StringLength(256, MinimumLength = 16)]
    [RegularExpression("[!-~]+", ErrorMessage = "RealtimeStreams:SecretKey may hold visible ASCII characters only.")]
    public string? SecretKey { get; set; }

    /// <summary>How long a chunk stays readable, and so the most that an environment or a run may be given. Default: 28 days.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(28);

    /// <summary>The most bytes of all chunks of one stream, and so the most that an environment may be given. Default: 314,572,800 (300 MiB, the seed's table of limits).</summary>
    [Range(typeof(long), "1", "1099511627776")]
    public long MaxStreamBytes { get; set; } = 300L * 1024 * 1024;

    /// <summary>The most runs of an environment that are open, with its streams outside of runs, and so the most that an environment may be given. Default: 1,000,000.</summary>
    [Range(1, 100_000_000)]
    public int MaxOpenRuns { get; set; } = 1_000_000;

    /// <summary>How long all writers of an open stream may be gone before it is closed as abandoned, unless they said otherwise. Default: 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "7.00:00:00")]
    public TimeSpan WriterLease { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a yes is answered from memory, if nobody announces a change. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan CacheTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many admitted streams are remembered. Default: 100,000, some 30 MB when all keys are short.</summary>
    [Range(100, 10_000_000)]
    public int CachedStreams { get; set; } = 100_000;

    /// <summary>How long one database command may take before the registry counts as unreachable. Default: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How old unfinished work must be before it counts as cut off. Default: 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan RepeatAfter { get; set; } = TimeSpan.FromSeconds(10);
}

[OptionsValidator]
internal sealed partial class RunRegistryOptionsValidator : IValidateOptions<RunRegistryOptions>;
