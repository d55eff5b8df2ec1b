using System.Diagnostics.Metrics;

namespace RealtimeStreams.Http.Limiting;

/// <summary>What the limits tell of themselves. The meter is named after the assembly.</summary>
internal sealed class LimitTelemetry
{
    private readonly Counter<long> refused;

    public LimitTelemetry(IMeterFactory meters) => refused = meters.Create("RealtimeStreams.Http").CreateCounter<long>(
        "realtimestreams.http.limits.refused",
        "{request}",
        "Requests that were refused for coming too often, or for being too many at the same time, by limit.");

    public void RecordRefusal(LimitRefusal refusal) => refused.Add(1, new KeyValuePair<string, object?>("limit", refusal.Limit));
}
