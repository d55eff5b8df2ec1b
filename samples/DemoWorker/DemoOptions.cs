using System.ComponentModel.DataAnnotations;

namespace DemoWorker;

/// <summary>Settings of the sample.</summary>
internal sealed class DemoOptions
{
    public const string Section = "Demo";

    /// <summary>How long after a run's start the next one starts by itself. Default: 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);
}
