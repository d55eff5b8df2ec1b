using System.Buffers;
using System.Globalization;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>
/// Chunks as the elements of an S2 batch of records, <c>{"seq_num":…,"timestamp":…,"body":"…"}</c>, each with a comma in front, so
/// that the elements from any cursor on follow one another without the first byte.
/// </summary>
public sealed class RecordJson : IRecordFraming
{
    /// <summary>For readers of Trigger's client: the body is always its envelope, <c>{"data":…,"id":"…"}</c>.</summary>
    public static readonly RecordJson Envelope = new(dataIsText: false);

    /// <summary>For readers of input streams, whose data is the JSON text of what was sent, as a string.</summary>
    public static readonly RecordJson InputEnvelope = new(dataIsText: true);

    // Digits of the largest index, 9,223,372,036,854,775,807.
    private const int MaxDigits = 19;

    private readonly bool dataIsText;

    private RecordJson(bool dataIsText) => this.dataIsText = dataIsText;

    /// <inheritdoc />
    public void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        var index = record.FirstIndex.Plus(position);
        output.Write(",{\"seq_num\":"u8);
        WriteNumber(index.Value, output);
        output.Write(",\"timestamp\":"u8);
        WriteNumber(record.AdmittedAt(position).ToUnixTimeMilliseconds(), output);
        output.Write(",\"body\":\""u8);
        WriteEnvelope(record, position, index, output);
        output.Write("\"}"u8);
    }

    private void WriteEnvelope(LogRecord record, int position, ChunkIndex index, IBufferWriter<byte> output)
    {
        output.Write("{\\\"data\\\":"u8);
        WriteData(record.Chunk(position).Span, output);
        // No id that a client makes begins so, and within the stream it is unique: readers drop what has an id that they have seen.
        output.Write(",\\\"id\\\":\\\"#"u8);
        WriteNumber(index.Value, output);
        output.Write("\\\"}"u8);
    }

    private void WriteData(ReadOnlySpan<byte> json, IBufferWriter<byte> output)
    {
        if (!dataIsText)
        {
            JsonEscapes.Write(json, output);
            return;
        }
        var text = new ArrayBufferWriter<byte>(json.Length + 16);
        JsonEscapes.Write(json, text);
        output.Write("\\\""u8);
        JsonEscapes.Write(text.WrittenSpan, output);
        output.Write("\\\""u8);
    }

    private static void WriteNumber(long value, IBufferWriter<byte> output)
    {
        value.TryFormat(output.GetSpan(MaxDigits), out var digits, default, CultureInfo.InvariantCulture);
        output.Advance(digits);
    }
}
