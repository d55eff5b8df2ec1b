using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace RealtimeStreams.Read;

/// <summary>The spans and metrics of reading: catching up is a span, following is measured.</summary>
internal sealed class ReadTelemetry : IDisposable
{
    public const string Name = "RealtimeStreams.Read";

    public static readonly ActivitySource Activities = new(Name);

    private readonly Meter meter;
    private readonly TimeProvider clock;
    private readonly UpDownCounter<int> readers;
    private readonly Counter<long> chunks;
    private readonly Histogram<long> lag;
    private readonly Histogram<double> firstChunk;

    public ReadTelemetry(IMeterFactory factory, TimeProvider clock)
    {
        this.clock = clock;
        meter = factory.Create(Name);
        readers = meter.CreateUpDownCounter<int>("realtimestreams.read.readers", "{reader}", "Reads that are open.");
        chunks = meter.CreateCounter<long>("realtimestreams.read.chunks", "{chunk}", "Chunks handed to readers.");
        lag = meter.CreateHistogram<long>("realtimestreams.read.lag", "{chunk}", "How many chunks a reader was behind when it took a record.");
        firstChunk = meter.CreateHistogram<double>("realtimestreams.read.first_chunk.duration", "s", "From the opening of a read to its first chunk.");
    }

    public Reader Open() => new(this);

    public void Dispose() => meter.Dispose();

    /// <summary>One reader being measured.</summary>
    public sealed class Reader : IDisposable
    {
        private readonly ReadTelemetry telemetry;
        private readonly long opened;
        private bool delivered;

        internal Reader(ReadTelemetry telemetry)
        {
            this.telemetry = telemetry;
            opened = telemetry.clock.GetTimestamp();
            telemetry.readers.Add(1);
        }

        public void Delivered(int count, long behind)
        {
            telemetry.chunks.Add(count);
            telemetry.lag.Record(behind);
            if (delivered) return;
            delivered = true;
            telemetry.firstChunk.Record(telemetry.clock.GetElapsedTime(opened).TotalSeconds);
        }

        public void Dispose() => telemetry.readers.Add(-1);
    }
}
