using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Dialects.S2.Records;

/// <summary>
/// Chunks as the elements of a JSON batch, <c>{"seq_num":…,"timestamp":…,"headers":[["…","…"]],"body":"…"}</c>, each with a comma in front, so that the
/// elements from any cursor on follow one another without the first byte.
/// </summary>
internal sealed class JsonRecords : IRecordFraming
{
    /// <summary>Bytes are taken for UTF-8; what is none is replaced by U+FFFD.</summary>
    public static readonly JsonRecords Raw = new(base64: false);

    /// <summary>Bytes are encoded with base64.</summary>
    public static readonly JsonRecords Base64 = new(base64: true);

    // Digits of the largest index, 9,223,372,036,854,775,807.
    private const int MaxDigits = 19;

    private readonly bool base64;

    private JsonRecords(bool base64) => this.base64 = base64;

    public void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        var attributes = record.AttributesOf(position);
        output.Write(",{\"seq_num\":"u8);
        WriteNumber(record.FirstIndex.Plus(position).Value, output);
        output.Write(",\"timestamp\":"u8);
        WriteNumber(record.TimestampOf(position), output);
        WriteHeaders(attributes, output);
        output.Write(",\"body\":"u8);
        if (attributes.PartId.IsEmpty)
        {
            WriteString(record.Chunk(position).Span, output);
        }
        else
        {
            var size = Envelope.SizeOf(record, position, attributes);
            var body = new ArrayBufferWriter<byte>(size); // Once a record and framing, however many read it.
            Envelope.WriteBody(record, position, attributes, body);
            WriteString(body.WrittenSpan, output);
        }
        output.Write("}"u8);
    }

    private void WriteHeaders(ChunkAttributes attributes, IBufferWriter<byte> output)
    {
        var any = false;
        foreach (var header in attributes)
        {
            output.Write(any ? ",["u8 : ",\"headers\":[["u8);
            any = true;
            WriteString(header.Name, output);
            output.Write(","u8);
            WriteString(header.Value, output);
            output.Write("]"u8);
        }
        if (any) output.Write("]"u8);
    }

    private void WriteString(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        if (!base64)
        {
            JsonText.WriteString(Utf8.IsValid(bytes) ? bytes : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes)), output);
            return;
        }
        output.Write("\""u8);
        System.Buffers.Text.Base64.EncodeToUtf8(bytes, output.GetSpan(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(bytes.Length) + 1), out _, out var written);
        output.Advance(written);
        output.Write("\""u8);
    }

    private static void WriteNumber(long value, IBufferWriter<byte> output)
    {
        value.TryFormat(output.GetSpan(MaxDigits), out var digits, default, CultureInfo.InvariantCulture);
        output.Advance(digits);
    }
}
