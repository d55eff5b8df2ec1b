using System.Diagnostics;
using System.Diagnostics.Metrics;
using RealtimeStreams.ChunkLog.Broker;

namespace RealtimeStreams.ChunkLog;

/// <summary>The log's spans and metrics. What NATS.Net emits itself (messages, bytes, durations of single calls) is not emitted twice.</summary>
internal sealed class LogTelemetry : IDisposable
{
    public const string Name = "RealtimeStreams.ChunkLog";

    public static readonly ActivitySource Activities = new(Name);

    private readonly Meter meter;
    private readonly Counter<long> records;
    private readonly Counter<long> bytes;
    private readonly Histogram<int> chunksPerRecord;
    private readonly Histogram<double> publishDuration;

    public LogTelemetry(IMeterFactory factory)
    {
        meter = factory.Create(Name);
        records = meter.CreateCounter<long>("realtimestreams.chunklog.records", "{record}", "Records sent to the broker, by what they came to.");
        bytes = meter.CreateCounter<long>("realtimestreams.chunklog.record.bytes", "By", "Bytes of the records that were stored.");
        chunksPerRecord = meter.CreateHistogram<int>("realtimestreams.chunklog.record.chunks", "{chunk}", "Chunks a stored record.");
        publishDuration = meter.CreateHistogram<double>("realtimestreams.chunklog.publish.duration", "s", "Publish of a record until its acknowledgement.");
    }

    /// <summary>Shows how many streams have an appender, a tail and readers here.</summary>
    public void Observe(Func<int> appenders, Func<long> queuedBytes, Func<int> tails, Func<long> ringBytes)
    {
        meter.CreateObservableGauge("realtimestreams.chunklog.appenders", appenders, "{stream}", "Streams with an appender in this process.");
        meter.CreateObservableGauge("realtimestreams.chunklog.queued.bytes", queuedBytes, "By", "Bytes of chunks that wait for the broker.");
        meter.CreateObservableGauge("realtimestreams.chunklog.tails", tails, "{stream}", "Streams that are followed in this process.");
        meter.CreateObservableGauge("realtimestreams.chunklog.ring.bytes", ringBytes, "By", "Bytes of newest records kept for readers.");
    }

    public void Published(PublishKind kind, int chunks, int length, TimeSpan took)
    {
        var outcome = new KeyValuePair<string, object?>("outcome", kind switch
        {
            PublishKind.Stored => "stored",
            PublishKind.Conflict => "conflict",
            PublishKind.Unknown => "unknown",
            PublishKind.Full => "full",
            _ => "rejected",
        });
        records.Add(1, outcome);
        publishDuration.Record(took.TotalSeconds, outcome);
        if (kind != PublishKind.Stored) return;
        bytes.Add(length);
        chunksPerRecord.Record(chunks);
    }

    public void Dispose() => meter.Dispose();
}
