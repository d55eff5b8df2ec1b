using System.Buffers;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Dialects.Trigger.Reading;

/// <summary>
/// Chunks as the elements of an S2 batch of records whose bodies are always the client's envelope,
/// <c>{"seq_num":…,"timestamp":…,"body":"{\"data\":…,\"id\":\"…\"}"}</c>, each with a comma in front, so that the elements from any cursor on follow
/// one another without the first byte.
/// </summary>
internal sealed class EnvelopeRecords : IRecordFraming
{
    /// <summary>For output streams: the data is the chunk.</summary>
    public static readonly EnvelopeRecords Output = new(dataIsText: false);

    /// <summary>For input streams: the data is a string, the chunk's JSON text.</summary>
    public static readonly EnvelopeRecords Input = new(dataIsText: true);

    // A backslash, u and four digits.
    private const int MaxEscapeBytes = 6;
    private const int PieceBytes = 4096;

    private readonly bool dataIsText;

    private EnvelopeRecords(bool dataIsText) => this.dataIsText = dataIsText;

    public void WriteChunk(LogRecord record, int position, IBufferWriter<byte> output)
    {
        var attributes = record.AttributesOf(position);
        var index = record.FirstIndex.Plus(position);
        RecordElements.WriteStart(record, position, base64: false, output); // Command records of S2's are known by their headers.
        output.Write(",\"body\":\"{\\\"data\\\":"u8);
        WriteData(record, position, output);
        output.Write(",\\\"id\\\":\\\""u8);
        WriteId(attributes.PartId, index, output);
        output.Write("\\\"}\"}"u8);
    }

    private void WriteData(LogRecord record, int position, IBufferWriter<byte> output)
    {
        if (!dataIsText && record.FormOf(position) == ChunkForm.Json)
        {
            WriteEscaped(record.Chunk(position).Span, output);
            return;
        }
        // What is not plain JSON, or is text for its readers, is written twice: once a record, however many read it.
        var json = new ArrayBufferWriter<byte>(record.Chunk(position).Length + 16);
        record.WriteJson(position, json);
        if (dataIsText)
        {
            var text = new ArrayBufferWriter<byte>(json.WrittenCount + 16);
            JsonText.WriteString(json.WrittenSpan, text);
            json = text;
        }
        WriteEscaped(json.WrittenSpan, output);
    }

    /// <remarks>
    /// Readers drop what has an id that they have seen. One that is made of the index is unique, and no client makes one that begins so. What is stored
    /// as a part's id needs no escapes.
    /// </remarks>
    private static void WriteId(ReadOnlySpan<byte> id, ChunkIndex index, IBufferWriter<byte> output)
    {
        if (!id.IsEmpty)
        {
            output.Write(id);
            return;
        }
        output.Write("#"u8);
        RecordElements.WriteNumber(index.Value, output);
    }

    /// <summary>Writes a part of a string that is in the making.</summary>
    private static void WriteEscaped(ReadOnlySpan<byte> utf8, IBufferWriter<byte> output)
    {
        while (!utf8.IsEmpty)
        {
            var piece = utf8[..Math.Min(utf8.Length, PieceBytes)];
            var target = output.GetSpan(piece.Length * MaxEscapeBytes); // One request to the writer for all of them: JSON in a string is half escapes.
            var written = 0;
            while (JsonText.IndexOfEscaped(piece) is var plain and >= 0)
            {
                piece[..plain].CopyTo(target[written..]);
                written += plain;
                var character = piece[plain];
                if (character is (byte)'"' or (byte)'\\')
                {
                    target[written++] = (byte)'\\';
                    target[written++] = character;
                }
                else
                {
                    output.Advance(written);
                    JsonText.WriteEscape(character, output);
                    target = output.GetSpan(piece.Length * MaxEscapeBytes);
                    written = 0;
                }
                piece = piece[(plain + 1)..];
            }
            piece.CopyTo(target[written..]);
            output.Advance(written + piece.Length);
            utf8 = utf8[Math.Min(utf8.Length, PieceBytes)..];
        }
    }
}
