using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Http;

/// <summary>
/// Pieces of the JSON elements of an S2 batch, <c>{"seq_num":…,"timestamp":…,"headers":[["…","…"]],"body":"…"}</c>, which Trigger's clients read too.
/// Each element has a comma in front, so that the elements from any cursor on follow one another without the first byte.
/// </summary>
public static class RecordElements
{
    // Digits of the largest index, 9,223,372,036,854,775,807.
    private const int MaxDigits = 19;

    /// <summary>Writes an element up to its body, which the caller adds.</summary>
    /// <param name="record">The record.</param>
    /// <param name="position">Which chunk of it.</param>
    /// <param name="base64">Whether headers are written in base64.</param>
    /// <param name="output">Where to.</param>
    public static void WriteStart(LogRecord record, int position, bool base64, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(record);
        output.Write(",{\"seq_num\":"u8);
        WriteNumber(record.FirstIndex.Plus(position).Value, output);
        output.Write(",\"timestamp\":"u8);
        WriteNumber(record.TimestampOf(position), output);
        var any = false;
        foreach (var header in record.AttributesOf(position))
        {
            output.Write(any ? ",["u8 : ",\"headers\":[["u8);
            any = true;
            WriteString(header.Name, base64, output);
            output.Write(","u8);
            WriteString(header.Value, base64, output);
            output.Write("]"u8);
        }
        if (any) output.Write("]"u8);
    }

    /// <summary>Writes bytes as a string: in base64, or taken for UTF-8, with U+FFFD for what is none.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="base64">Whether in base64.</param>
    /// <param name="output">Where to.</param>
    public static void WriteString(ReadOnlySpan<byte> bytes, bool base64, IBufferWriter<byte> output)
    {
        if (!base64)
        {
            JsonText.WriteString(Utf8.IsValid(bytes) ? bytes : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes)), output);
            return;
        }
        output.Write("\""u8);
        Base64.EncodeToUtf8(bytes, output.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length) + 1), out _, out var written);
        output.Advance(written);
        output.Write("\""u8);
    }

    /// <summary>Writes a number.</summary>
    /// <param name="value">Not negative.</param>
    /// <param name="output">Where to.</param>
    public static void WriteNumber(long value, IBufferWriter<byte> output)
    {
        value.TryFormat(output.GetSpan(MaxDigits), out var digits, default, CultureInfo.InvariantCulture);
        output.Advance(digits);
    }
}
