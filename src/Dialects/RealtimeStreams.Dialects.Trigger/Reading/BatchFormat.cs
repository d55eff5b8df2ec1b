using System.Buffers;
using RealtimeStreams.Http;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.Trigger.Reading;

/// <summary>The v2 shape of a read: batches of records as S2 sends them. A record's elements are made once for all readers.</summary>
internal sealed class BatchFormat(EnvelopeRecords framing, TimeProvider clock) : IFeedFormat
{
    private long records;
    private long bytes;

    public int WriteChunks(in ReadStep step, IStreamRead read, IBufferWriter<byte> output)
    {
        var record = step.Record!;
        var elements = record.Framed(framing).From(step.From).Span;
        records += record.NextIndex.Value - step.From.Value;
        bytes += elements.Length;
        var reached = record.NextIndex >= read.NextIndex;
        return new RecordEvents(output).WriteBatch(
            elements, new(record.NextIndex.Value - 1), records, bytes, reached ? new RecordTail(record.NextIndex, record.TimestampOf(record.Count - 1)) : null);
    }

    // Gives proxies something to pass on; clients skip it.
    public void WriteCaughtUp(IStreamRead read, IBufferWriter<byte> output) => WriteHeartbeat(read, output);

    // Clients skip it, and go on at the next record's number.
    public void WriteTrimmed(in ReadStep step, IBufferWriter<byte> output) => new SseWriter(output).WriteComment("what was before is gone"u8);

    public void WriteHeartbeat(IStreamRead read, IBufferWriter<byte> output) =>
        new RecordEvents(output).WritePing(clock.GetUtcNow().ToUnixTimeMilliseconds(), new RecordTail(read.NextIndex, read.LastTimestamp));
}
