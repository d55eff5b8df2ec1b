using Microsoft.Extensions.Options;
using RealtimeStreams.RunRegistry.Counting;

namespace RealtimeStreams.RunRegistry.Settings;

/// <summary>The settings that there are: one row each.</summary>
internal sealed class SettingsTable(IOptions<RunRegistryOptions> options, IOptions<V1RunLimitsOptions> v1, IOptions<V2RunLimitsOptions> v2)
{
    private const string Retention = "retentionInSeconds";
    private const string MaxStreamBytes = "maxStreamBytes";
    private const string MaxChunks = "maxChunks";
    private const string MaxStreams = "maxStreams";
    private const string MaxActiveStreams = "maxActiveStreams";
    private const string MaxRunBytes = "maxRunBytes";
    private const string MaxOpenRuns = OpenRunLimit.Name;
    private const long MostCount = 10_000_000;
    private const long MostChunks = 1_000_000_000_000;
    private const long MostBytes = 1L << 50;

    public IReadOnlyList<EnvironmentSetting> Rows { get; } =
    [
        new(Retention, "retention", "how long a chunk stays readable", 60, (long)options.Value.Retention.TotalSeconds, IsTime: true),
        new(MaxStreamBytes, "max-stream-bytes", "the most bytes of a stream", 1, options.Value.MaxStreamBytes),
        new(MaxChunks, "max-chunks", "the most chunks of a stream", 1, Greater(v1.Value.MaxChunks, v2.Value.MaxChunks, MostChunks)),
        new(MaxStreams, "max-streams", "the most streams of a run", 1, Greater(v1.Value.MaxStreams, v2.Value.MaxStreams, MostCount)),
        new(MaxActiveStreams, "max-active-streams", "the most open streams of a run", 1, Greater(v1.Value.MaxActiveStreams, v2.Value.MaxActiveStreams, MostCount)),
        new(MaxRunBytes, "max-run-bytes", "the most bytes of all streams of a run", 1, Greater(v1.Value.MaxRunBytes, v2.Value.MaxRunBytes, MostBytes)),
        new(MaxOpenRuns, "max-open-runs", "the most runs that are open, with streams outside of runs", 1, options.Value.MaxOpenRuns),
        Count("requestsPerSecond", "requests-per-second", "how many requests it may send a second, on average"),
        Count("requestBurst", "request-burst", "how many requests it may send at once before the average counts"),
        Count("concurrentRequests", "concurrent-requests", "how many of its requests may be answered at the same time, beside live reads and open bodies"),
        Count("readers", "readers", "how many live reads it may have"),
        Count("openBodies", "open-bodies", "how many open-ended bodies and sessions of appends it may have"),
        Count("tokenRequestsPerSecond", "token-requests-per-second", "how many requests may come with one public token a second, on average"),
        Count("tokenRequestBurst", "token-request-burst", "how many requests may come with one public token at once before the average counts"),
        Count("tokenConcurrentRequests", "token-concurrent-requests", "how many requests with one public token may be answered at the same time, beside live reads and open bodies"),
        Count("tokenReaders", "token-readers", "how many live reads one public token may have"),
        Count("tokenOpenBodies", "token-open-bodies", "how many open-ended bodies and sessions of appends one public token may have"),
    ];

    public EnvironmentSetting? Find(string name) => Rows.FirstOrDefault(row => row.Name == name);

    /// <summary>What is stored, as the rest of the server reads it.</summary>
    public static EnvironmentSettings Read(IReadOnlyDictionary<string, long> values) => new()
    {
        Retention = FindTime(values, Retention),
        MaxStreamBytes = Find(values, MaxStreamBytes),
        MaxChunks = Find(values, MaxChunks),
        MaxStreams = FindCount(values, MaxStreams),
        MaxActiveStreams = FindCount(values, MaxActiveStreams),
        MaxRunBytes = Find(values, MaxRunBytes),
        MaxOpenRuns = FindCount(values, MaxOpenRuns),
        RequestsPerSecond = FindCount(values, "requestsPerSecond"),
        RequestBurst = FindCount(values, "requestBurst"),
        ConcurrentRequests = FindCount(values, "concurrentRequests"),
        Readers = FindCount(values, "readers"),
        OpenBodies = FindCount(values, "openBodies"),
        TokenRequestsPerSecond = FindCount(values, "tokenRequestsPerSecond"),
        TokenRequestBurst = FindCount(values, "tokenRequestBurst"),
        TokenConcurrentRequests = FindCount(values, "tokenConcurrentRequests"),
        TokenReaders = FindCount(values, "tokenReaders"),
        TokenOpenBodies = FindCount(values, "tokenOpenBodies"),
    };

    private static EnvironmentSetting Count(string name, string option, string meaning) => new(name, option, $"{meaning}, per server process", 1, MostCount);

    /// <summary>What any version may have: no environment's value can be more than the server gives to each.</summary>
    private static long Greater(long? one, long? other, long most) => one is { } number && other is { } limit ? Math.Max(number, limit) : most;

    private static long? Find(IReadOnlyDictionary<string, long> values, string name) => values.TryGetValue(name, out var number) ? number : null;

    private static int? FindCount(IReadOnlyDictionary<string, long> values, string name) => values.TryGetValue(name, out var count) ? (int)count : null;

    private static TimeSpan? FindTime(IReadOnlyDictionary<string, long> values, string name) =>
        values.TryGetValue(name, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
}
