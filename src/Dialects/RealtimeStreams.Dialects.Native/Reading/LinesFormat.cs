using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.Native.Reading;

/// <summary>NDJSON: a chunk a line, control lines with an <c>event</c>, empty lines as heartbeats.</summary>
internal sealed class LinesFormat : FeedFormat
{
    public static readonly LinesFormat Instance = new();

    private const int MaxDigits = 19;

    // As little is escaped as in the events of the other format.
    private static readonly JsonWriterOptions plain = new() { Encoder = WireJson.Contracts.Options.Encoder };

    private LinesFormat()
    {
    }

    public override string MediaType => ReadRequest.Lines;

    public override void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        output.Write("{\"index\":"u8);
        record.FirstIndex.Plus(position).Value.TryFormat(output.GetSpan(MaxDigits), out var digits, default, CultureInfo.InvariantCulture);
        output.Advance(digits);
        output.Write(",\"data\":"u8);
        record.WriteJson(position, output);
        output.Write("}\n"u8);
    }

    public override void WriteOpening(IBufferWriter<byte> output) => output.Write("\n"u8);

    public override void WriteHeartbeat(IBufferWriter<byte> output) => output.Write("\n"u8);

    public override void WriteEvent<T>(string name, T data, JsonTypeInfo<T> contract, IBufferWriter<byte> output)
    {
        using (var json = new Utf8JsonWriter(output, plain))
        {
            json.WriteStartObject();
            json.WriteString("event", name);
            foreach (var property in JsonSerializer.SerializeToElement(data, contract).EnumerateObject()) property.WriteTo(json);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }
}
