using System.Buffers;
using System.IO.Pipelines;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Records;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>Server-sent events.</summary>
/// <param name="framing">How records are written.</param>
/// <param name="clock">The time, of pings.</param>
internal sealed class EventFormat(JsonRecords framing, TimeProvider clock) : RecordFormat
{
    public override IRecordFraming Framing => framing;

    public override string ContentType => "text/event-stream";

    public override bool Metered => true;

    public override S2Error? WriteBatch(RecordBatch batch, StreamPosition? tail, PipeWriter output)
    {
        var elements = new ArrayBufferWriter<byte>(Math.Max(batch.Length, 1));
        batch.WriteTo(elements);
        new RecordEvents(output).WriteBatch(
            elements.WrittenSpan, new ChunkIndex(batch.Next.Value - 1), batch.TotalCount, batch.TotalMetered, tail is { } position ? Of(position) : null);
        return null;
    }

    public override void WriteHeartbeat(StreamPosition tail, PipeWriter output) =>
        new RecordEvents(output).WritePing(clock.GetUtcNow().ToUnixTimeMilliseconds(), Of(tail));

    public override void WriteError(S2Error error, PipeWriter output) => new SseWriter(output).WriteEvent("error"u8, error.Body.Span);

    public override void WriteDone(PipeWriter output) => new RecordEvents(output).WriteDone();

    private static RecordTail Of(StreamPosition position) => new(new ChunkIndex(position.SeqNum), position.Timestamp);
}
