using Microsoft.Extensions.Options;

namespace RealtimeStreams.RunRegistry.Settings;

/// <summary>The settings that there are: one row each.</summary>
internal sealed class SettingsTable(IOptions<RunRegistryOptions> options)
{
    private const string Retention = "retentionInSeconds";
    private const long MostCount = 10_000_000;

    public IReadOnlyList<EnvironmentSetting> Rows { get; } =
    [
        new(Retention, "retention", "how long a chunk stays readable", 60, (long)options.Value.Retention.TotalSeconds, IsTime: true),
        Count("requestsPerSecond", "requests-per-second", "how many requests it may send a second, on average"),
        Count("requestBurst", "request-burst", "how many requests it may send at once before the average counts"),
        Count("concurrentRequests", "concurrent-requests", "how many of its requests may be answered at the same time, beside live reads and open bodies"),
        Count("readers", "readers", "how many live reads it may have"),
        Count("openBodies", "open-bodies", "how many open-ended bodies and sessions of appends it may have"),
        Count("tokenRequestsPerSecond", "token-requests-per-second", "how many requests may come with one public token a second, on average"),
        Count("tokenRequestBurst", "token-request-burst", "how many requests may come with one public token at once before the average counts"),
        Count("tokenReaders", "token-readers", "how many live reads one public token may have"),
        Count("tokenOpenBodies", "token-open-bodies", "how many open-ended bodies and sessions of appends one public token may have"),
    ];

    public EnvironmentSetting? Find(string name) => Rows.FirstOrDefault(row => row.Name == name);

    /// <summary>What is stored, as the rest of the server reads it.</summary>
    public static EnvironmentSettings Read(IReadOnlyDictionary<string, long> values) => new()
    {
        Retention = FindTime(values, Retention),
        RequestsPerSecond = FindCount(values, "requestsPerSecond"),
        RequestBurst = FindCount(values, "requestBurst"),
        ConcurrentRequests = FindCount(values, "concurrentRequests"),
        Readers = FindCount(values, "readers"),
        OpenBodies = FindCount(values, "openBodies"),
        TokenRequestsPerSecond = FindCount(values, "tokenRequestsPerSecond"),
        TokenRequestBurst = FindCount(values, "tokenRequestBurst"),
        TokenReaders = FindCount(values, "tokenReaders"),
        TokenOpenBodies = FindCount(values, "tokenOpenBodies"),
    };

    private static EnvironmentSetting Count(string name, string option, string meaning) => new(name, option, $"{meaning}, per server process", 1, MostCount);

    private static int? FindCount(IReadOnlyDictionary<string, long> values, string name) => values.TryGetValue(name, out var count) ? (int)count : null;

    private static TimeSpan? FindTime(IReadOnlyDictionary<string, long> values, string name) =>
        values.TryGetValue(name, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
}
