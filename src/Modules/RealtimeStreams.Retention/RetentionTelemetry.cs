using System.Diagnostics;
using System.Diagnostics.Metrics;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Retention;

/// <summary>What the sweep tells of itself. Meter and activity source are named after the assembly.</summary>
internal sealed class RetentionTelemetry : IDisposable
{
    public const string Name = "RealtimeStreams.Retention";

    private readonly ActivitySource activities = new(Name);
    private readonly Counter<long> runs;
    private readonly Counter<long> abandoned;

    public RetentionTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        runs = meter.CreateCounter<long>(
            "realtimestreams.retention.sweep.runs", "{run}", "Runs whose cut-off completion or erasure was taken up, by outcome.");
        abandoned = meter.CreateCounter<long>(
            "realtimestreams.retention.abandoned.streams", "{stream}", "Streams that were closed because their writers were gone for longer than their lease.");
    }

    public Activity? StartSweep() => activities.StartActivity("sweep");

    public Activity? StartAbandon(StreamAddress stream) =>
        activities.StartActivity("abandon stream")
            ?.SetTag("realtimestreams.run", stream.Run.Value)
            .SetTag("realtimestreams.stream", stream.Key.Value);

    public void Abandoned() => abandoned.Add(1);

    public void Record(Repeated repeated)
    {
        if (repeated.Done > 0) runs.Add(repeated.Done, new KeyValuePair<string, object?>("outcome", "done"));
        if (repeated.Failed > 0) runs.Add(repeated.Failed, new KeyValuePair<string, object?>("outcome", "failed"));
    }

    public void Dispose() => activities.Dispose();
}
