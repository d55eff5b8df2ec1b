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
    private readonly Counter<long> expiredChunks;
    private readonly Counter<long> looks;
    private readonly Histogram<double> delay;
    private volatile int due;

    public RetentionTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        runs = meter.CreateCounter<long>(
            "realtimestreams.retention.sweep.runs", "{run}", "Runs whose cut-off completion or erasure was taken up, by outcome.");
        abandoned = meter.CreateCounter<long>(
            "realtimestreams.retention.abandoned.streams", "{stream}", "Streams that were closed because their writers were gone for longer than their lease.");
        expiredChunks = meter.CreateCounter<long>("realtimestreams.retention.expired.chunks", "{chunk}", "Chunks that were given up because they were older than their retention.");
        looks = meter.CreateCounter<long>("realtimestreams.retention.expiry.streams", "{stream}", "Streams that were looked at because something of them may have expired, by outcome.");
        delay = meter.CreateHistogram<double>("realtimestreams.retention.expiry.delay", "s", "From when a stream was to be looked at until it was: what the sweep lags behind.");
        meter.CreateObservableGauge(
            "realtimestreams.retention.expiry.due", () => due, "{stream}", "Streams that the last look found due; as many as a look takes (RealtimeStreams:Sweep:MaxExpiries) means that more wait.");
    }

    public Activity? StartSweep() => activities.StartActivity("sweep");

    public Activity? StartAbandon(StreamAddress stream) =>
        activities.StartActivity("abandon stream")
            ?.SetTag("realtimestreams.run", stream.Run.Value)
            .SetTag("realtimestreams.stream", stream.Key.Value);

    public void Abandoned() => abandoned.Add(1);

    public void Due(int streams) => due = streams;

    public Activity? StartExpire(StreamAddress stream) =>
        activities.StartActivity("expire stream")
            ?.SetTag("realtimestreams.run", stream.Run.Value)
            .SetTag("realtimestreams.stream", stream.Key.Value);

    public void Expired(long chunks, TimeSpan late)
    {
        if (chunks > 0) expiredChunks.Add(chunks);
        looks.Add(1, new KeyValuePair<string, object?>("outcome", chunks > 0 ? "expired" : "nothing"));
        delay.Record(late.TotalSeconds);
    }

    public void NotExpired() => looks.Add(1, new KeyValuePair<string, object?>("outcome", "failed"));

    public void Record(Repeated repeated)
    {
        if (repeated.Done > 0) runs.Add(repeated.Done, new KeyValuePair<string, object?>("outcome", "done"));
        if (repeated.Failed > 0) runs.Add(repeated.Failed, new KeyValuePair<string, object?>("outcome", "failed"));
    }

    public void Dispose() => activities.Dispose();
}
