using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RealtimeStreams.Sdk;

/// <summary>The spans and metrics of this assembly. Run ids and keys go on spans, never on metrics.</summary>
internal sealed class SdkTelemetry : IDisposable
{
    private const string Name = "RealtimeStreams.Sdk";
    private static readonly ActivitySource Source = new(Name);
    private readonly Meter? ownMeter;

    public SdkTelemetry(IMeterFactory? factory)
    {
        var meter = factory?.Create(Name) ?? (ownMeter = new Meter(Name));
        RequestDuration = meter.CreateHistogram<double>(
            "realtimestreams.sdk.request.duration", "s", "One try of a request that writes, until its answer.");
        Sent = meter.CreateCounter<long>("realtimestreams.sdk.chunks.acknowledged", "{chunk}", "Chunks that the server acknowledged.");
        Duplicates = meter.CreateCounter<long>(
            "realtimestreams.sdk.chunks.duplicate", "{chunk}", "Acknowledged chunks that an earlier try had stored already.");
        Received = meter.CreateCounter<long>("realtimestreams.sdk.chunks.received", "{chunk}", "Chunks delivered to readers.");
        Retries = meter.CreateCounter<long>("realtimestreams.sdk.retries", "{retry}", "Tries that followed a failed one, reads and writes.");
        TaskDuration = meter.CreateHistogram<double>(
            "realtimestreams.sdk.task.duration", "s", "How long a worker was at a claimed run, by task and end: completed, failed, cancelled, released or lost.");
        Readers = meter.CreateUpDownCounter<long>("realtimestreams.sdk.readers", "{reader}", "Reads that are going on.");
    }

    public Histogram<double> RequestDuration { get; }

    public Counter<long> Sent { get; }

    public Counter<long> Duplicates { get; }

    public Counter<long> Received { get; }

    public Counter<long> Retries { get; }

    public UpDownCounter<long> Readers { get; }

    private Histogram<double> TaskDuration { get; }

    public void RecordTask(string task, string end, TimeSpan time) => TaskDuration.Record(
        time.TotalSeconds, new KeyValuePair<string, object?>("task", task), new KeyValuePair<string, object?>("end", end));

    public static Activity? Start(string operation, string runId, string? key = null)
    {
        var activity = Source.StartActivity(operation, ActivityKind.Client);
        activity?.SetTag("realtimestreams.run.id", runId);
        if (key is not null) activity?.SetTag("realtimestreams.stream.key", key);
        return activity;
    }

    public static void Fail(Activity? activity, Exception failure)
    {
        activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
        activity?.SetTag("error.type", failure is RealtimeStreamsException known ? known.Code : failure.GetType().FullName);
    }

    public void Dispose() => ownMeter?.Dispose();
}
