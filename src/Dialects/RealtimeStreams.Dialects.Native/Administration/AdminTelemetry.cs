using System.Diagnostics.Metrics;

namespace RealtimeStreams.Dialects.Native.Administration;

/// <summary>What the admin API tells of itself. The meter is named after the assembly.</summary>
internal sealed class AdminTelemetry
{
    private readonly Counter<long> refused;

    public AdminTelemetry(IMeterFactory meters) => refused = meters.Create("RealtimeStreams.Dialects.Native").CreateCounter<long>(
        "realtimestreams.native.admin.refused",
        "{request}",
        "Requests to the admin API without the operator key, by reason: none, malformed, wrong.");

    public void RecordRefusal(string reason) => refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
