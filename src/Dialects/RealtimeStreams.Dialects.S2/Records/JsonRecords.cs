using System.Buffers;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>Chunks as the elements of a JSON batch (<see cref="RecordElements"/>).</summary>
internal sealed class JsonRecords : IRecordFraming
{
    /// <summary>Bytes are taken for UTF-8; what is none is replaced by U+FFFD.</summary>
    public static readonly JsonRecords Raw = new(base64: false);

    /// <summary>Bytes are encoded with base64.</summary>
    public static readonly JsonRecords Base64 = new(base64: true);

    private readonly bool base64;

    private JsonRecords(bool base64) => this.base64 = base64;

    public void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        var attributes = record.AttributesOf(position);
        RecordElements.WriteStart(record, position, base64, output);
        output.Write(",\"body\":"u8);
        if (attributes.PartId.IsEmpty)
        {
            RecordElements.WriteString(record.Chunk(position).Span, base64, output);
        }
        else
        {
            var size = Envelope.SizeOf(record, position, attributes);
            var body = new ArrayBufferWriter<byte>(size); // Once a record and framing, however many read it.
            Envelope.WriteBody(record, position, attributes, body);
            RecordElements.WriteString(body.WrittenSpan, base64, output);
        }
        output.Write("}"u8);
    }
}
