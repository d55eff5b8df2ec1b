using System.Buffers;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.S2.Wire;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>Chunks as the records of a protobuf <c>ReadBatch</c>: each a field of it, so that the bytes of any run of them are the batch's.</summary>
internal sealed class ProtoRecords : IRecordFraming
{
    public static readonly ProtoRecords Instance = new();

    private ProtoRecords()
    {
    }

    public void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        var attributes = record.AttributesOf(position);
        var index = record.FirstIndex.Plus(position).Value;
        var timestamp = record.TimestampOf(position);
        var body = Envelope.SizeOf(record, position, attributes);
        var size = Proto.SizeOfNumber(index) + Proto.SizeOfNumber(timestamp) + (body == 0 ? 0 : Proto.SizeOfBytes(body));
        foreach (var header in attributes) size += Proto.SizeOfBytes(SizeOf(header));

        Proto.BeginBytes(output, 1, size);
        Proto.WriteNumber(output, 1, index);
        Proto.WriteNumber(output, 2, timestamp);
        foreach (var header in attributes)
        {
            Proto.BeginBytes(output, 3, SizeOf(header));
            Proto.WriteBytes(output, 1, header.Name);
            Proto.WriteBytes(output, 2, header.Value);
        }
        if (body == 0) return;
        Proto.BeginBytes(output, 4, body);
        Envelope.WriteBody(record, position, attributes, output);
    }

    private static int SizeOf(ChunkAttributes.Header header) =>
        (header.Name.IsEmpty ? 0 : Proto.SizeOfBytes(header.Name.Length)) + (header.Value.IsEmpty ? 0 : Proto.SizeOfBytes(header.Value.Length));
}
