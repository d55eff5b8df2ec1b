using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace RealtimeStreams.Http.Limiting;

/// <summary>How limits tell what they refused. The meter is named after the assembly.</summary>
internal sealed class LimitTelemetry
{
    private readonly Counter<long> refused;

    private readonly Counter<long> stalled;

    public LimitTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create("RealtimeStreams.Http");
        refused = meter.CreateCounter<long>(
            "realtimestreams.http.limits.refused",
            "{request}",
            "Requests that were refused for coming too often, or for being too many at the same time, by limit.");
        stalled = meter.CreateCounter<long>("realtimestreams.http.readers.stalled", "{reader}", "Readers of answers that were cut off because they took nothing for too long.");
    }

    public void RecordStalledReader() => stalled.Add(1);

    /// <summary>Counts a refusal, and says in the answer when another try may succeed.</summary>
    public LimitRefusal Refuse(HttpContext context, LimitRefusal refusal)
    {
        refused.Add(1, new KeyValuePair<string, object?>("limit", refusal.Limit));
        context.Response.Headers.RetryAfter = refusal.RetryAfter.ToString(CultureInfo.InvariantCulture);
        return refusal;
    }
}
