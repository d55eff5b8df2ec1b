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
    private readonly Counter<long> purgedRecords;
    private readonly Histogram<double> purgeDuration;

    public LogTelemetry(IMeterFactory factory)
    {
        meter = factory.Create(Name);
        records = meter.CreateCounter<long>("realtimestreams.chunklog.records", "{record}", "Records sent to the broker, by what they came to.");
        bytes = meter.CreateCounter<long>("realtimestreams.chunklog.record.bytes", "By", "Bytes of the records that were stored.");
        chunksPerRecord = meter.CreateHistogram<int>("realtimestreams.chunklog.record.chunks", "{chunk}", "Chunks a stored record.");
        publishDuration = meter.CreateHistogram<double>("realtimestreams.chunklog.publish.duration", "s", "Publish of a record until its acknowledgement.");
        purgedRecords = meter.CreateCounter<long>("realtimestreams.chunklog.purged.records", "{record}", "Records that were removed from the broker, by reason: trimmed (given up or expired), erased.");
        purgeDuration = meter.CreateHistogram<double>(
            "realtimestreams.chunklog.purge.duration", "s", "One step of a removal, by reason. The other streams of its shard wait about as long.");
    }

    /// <summary>Shows how many streams have an appender, a tail and readers here, and how many are to be trimmed.</summary>
    public void Observe(Func<int> appenders, Func<long> queuedBytes, Func<int> tails, Func<long> ringBytes, Func<int> trims)
    {
        meter.CreateObservableGauge("realtimestreams.chunklog.appenders", appenders, "{stream}", "Streams with an appender in this process.");
        meter.CreateObservableGauge("realtimestreams.chunklog.queued.bytes", queuedBytes, "By", "Bytes of chunks that wait for the broker.");
        meter.CreateObservableGauge("realtimestreams.chunklog.tails", tails, "{stream}", "Streams that are followed in this process.");
        meter.CreateObservableGauge("realtimestreams.chunklog.ring.bytes", ringBytes, "By", "Bytes of newest records kept for readers.");
        meter.CreateObservableGauge("realtimestreams.chunklog.trims", trims, "{stream}", "Streams that wait for the removal of the records before their trim points.");
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

    public void Purged(string reason, long count, TimeSpan took)
    {
        var tag = new KeyValuePair<string, object?>("reason", reason);
        purgedRecords.Add(count, tag);
        purgeDuration.Record(took.TotalSeconds, tag);
    }

    public void Dispose() => meter.Dispose();
}
