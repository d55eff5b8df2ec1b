using System.Diagnostics;
using System.Diagnostics.Metrics;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention;

/// <summary>What the sweep tells of itself. Meter and activity source are named after the assembly.</summary>
internal sealed class RetentionTelemetry : IDisposable
{
    public const string Name = "RealtimeStreams.Retention";

    private readonly ActivitySource activities = new(Name);
    private readonly Counter<long> runs;

    public RetentionTelemetry(IMeterFactory meters) =>
        runs = meters.Create(Name).CreateCounter<long>(
            "realtimestreams.retention.sweep.runs", "{run}", "Runs whose cut-off completion or erasure was taken up, by outcome.");

    public Activity? StartSweep() => activities.StartActivity("sweep");

    public void Record(Repeated repeated)
    {
        if (repeated.Done > 0) runs.Add(repeated.Done, new KeyValuePair<string, object?>("outcome", "done"));
        if (repeated.Failed > 0) runs.Add(repeated.Failed, new KeyValuePair<string, object?>("outcome", "failed"));
    }

    public void Dispose() => activities.Dispose();
}
