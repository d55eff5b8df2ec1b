using Microsoft.Extensions.Options;

namespace RealtimeStreams.RunRegistry.Settings;

/// <summary>The settings that there are: one row each.</summary>
internal sealed class SettingsTable(IOptions<RunRegistryOptions> options)
{
    private const string Retention = "retentionInSeconds";

    public IReadOnlyList<EnvironmentSetting> Rows { get; } =
    [
        new(Retention, "retention", "how long a chunk stays readable", 60, (long)options.Value.Retention.TotalSeconds, IsTime: true),
    ];

    public EnvironmentSetting? Find(string name) => Rows.FirstOrDefault(row => row.Name == name);

    /// <summary>What is stored, as the rest of the server reads it.</summary>
    public static EnvironmentSettings Read(IReadOnlyDictionary<string, long> values) => new()
    {
        Retention = FindTime(values, Retention),
    };

    private static TimeSpan? FindTime(IReadOnlyDictionary<string, long> values, string name) =>
        values.TryGetValue(name, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
}
