using System.Diagnostics;
using System.Diagnostics.Metrics;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest;

/// <summary>The module's spans and metrics.</summary>
internal sealed class IngestTelemetry
{
    public const string Name = "RealtimeStreams.Ingest";

    private static readonly ActivitySource Source = new(Name);

    private readonly Counter<long> chunks;
    private readonly Counter<long> bytes;
    private readonly Counter<long> duplicates;
    private readonly Counter<long> refusals;
    private readonly Counter<long> renewals;
    private readonly Histogram<double> duration;

    public IngestTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        chunks = meter.CreateCounter<long>("realtimestreams.ingest.chunks", "{chunk}", "Chunks added to streams.");
        bytes = meter.CreateCounter<long>("realtimestreams.ingest.bytes", "By", "Bytes of the batches that the log confirmed.");
        duplicates = meter.CreateCounter<long>("realtimestreams.ingest.duplicates", "{chunk}", "Chunks that had been stored before.");
        refusals = meter.CreateCounter<long>("realtimestreams.ingest.refusals", "{refusal}", "Appends and closes refused, by error code.");
        renewals = meter.CreateCounter<long>(
            "realtimestreams.ingest.lease.renewals", "{renewal}", "Leases renewed for streams whose writers have a connection open.");
        duration = meter.CreateHistogram(
            "realtimestreams.ingest.append.duration",
            "s",
            "From a batch's submission to the log's confirmation.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
            });
    }

    public static Activity? StartAppend(StreamAddress stream) => Start("append stream", stream);

    public static Activity? StartClose(StreamAddress stream) => Start("close stream", stream);

    public void Confirmed(int added, int repeated, int length, TimeSpan took)
    {
        chunks.Add(added);
        bytes.Add(length);
        if (repeated > 0) duplicates.Add(repeated);
        duration.Record(took.TotalSeconds);
    }

    public void Renewed(int leases) => renewals.Add(leases);

    public void Refused(ErrorCode code, Activity? activity)
    {
        refusals.Add(1, new KeyValuePair<string, object?>("error.type", code.Code));
        activity?.SetTag("error.type", code.Code).SetStatus(ActivityStatusCode.Error);
    }

    private static Activity? Start(string name, StreamAddress stream) =>
        Source.StartActivity(name)
            ?.SetTag("realtimestreams.run", stream.Run.Value)
            .SetTag("realtimestreams.stream", stream.Key.Value);
}
