using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RealtimeStreams.RunRegistry;

/// <summary>What the registry tells of itself. Meter and activity source are named after the assembly.</summary>
internal sealed class RegistryTelemetry : IDisposable
{
    public const string Name = "RealtimeStreams.RunRegistry";

    private readonly ActivitySource activities = new(Name);
    private readonly Histogram<double> duration;
    private readonly Histogram<double> erasureDuration;
    private readonly Counter<long> refusedKeys;
    private readonly Counter<long> refusedTokens;
    private readonly Counter<long> issuedTokens;
    private readonly Counter<long> refusedLimits;

    public RegistryTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        refusedKeys = meter.CreateCounter<long>(
            "realtimestreams.runregistry.secret_keys.refused",
            "{request}",
            "Requests whose credential was no valid secret key, by reason: unknown, expired, revoked, malformed.");
        refusedTokens = meter.CreateCounter<long>(
            "realtimestreams.runregistry.access_tokens.refused",
            "{request}",
            "Requests with an access token that was refused, by reason: malformed, expired, not_yet_valid, bad_signature, revoked, wrong_scope.");
        issuedTokens = meter.CreateCounter<long>("realtimestreams.runregistry.access_tokens.issued", "{token}", "Access tokens that this server made.");
        refusedLimits = meter.CreateCounter<long>(
            "realtimestreams.runregistry.limits.refused",
            "{request}",
            "Runs and streams that were not made because there are as many as may be, by limit: maxOpenRuns, maxStreams, maxActiveStreams.");
        erasureDuration = meter.CreateHistogram<double>(
            "realtimestreams.runregistry.erasure.duration", "s", "From when a run, or a stream outside of runs, was asked to be erased until it was.");
        duration = meter.CreateHistogram<double>(
            "realtimestreams.runregistry.operation.duration",
            "s",
            "How long the registry's database took, by operation.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] });
    }

    public Activity? StartOperation(string operation) => activities.StartActivity($"registry {operation}");

    public void RecordRefusedKey(string reason) => refusedKeys.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void RecordRefusedToken(string reason) => refusedTokens.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void RecordIssuedToken() => issuedTokens.Add(1);

    public void RecordRefusedLimit(string limit) => refusedLimits.Add(1, new KeyValuePair<string, object?>("limit", limit));

    public void Erased(TimeSpan took) => erasureDuration.Record(took.TotalSeconds);

    public void RecordOperation(string operation, TimeSpan time, string? error)
    {
        var tags = new TagList { { "operation", operation } };
        if (error is not null) tags.Add("error.type", error);
        duration.Record(time.TotalSeconds, tags);
    }

    public void Dispose() => activities.Dispose();
}
