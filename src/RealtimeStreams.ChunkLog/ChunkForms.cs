using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace RealtimeStreams.ChunkLog;

/// <summary>Tells what a body is, and writes it as JSON whatever it is.</summary>
public static class ChunkForms
{
    /// <summary>The nesting of a JSON value; a deeper one is text.</summary>
    private const int MaxDepth = 64;

    private static readonly SearchValues<byte> InNumbers = SearchValues.Create("0123456789+-.eE"u8);

    private static ReadOnlySpan<byte> Blank => " \t\r\n"u8;

    /// <summary>Tells what bytes are that came from outside.</summary>
    /// <param name="body">Any bytes. None at all are <see cref="ChunkForm.Text"/>, and so is JSON behind a byte order mark.</param>
    public static ChunkForm Of(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body)) return ChunkForm.Binary;
        if (!IsJson(body.Trim(Blank))) return ChunkForm.Text;
        return body.ContainsAny((byte)'\r', (byte)'\n') ? ChunkForm.SpacedJson : ChunkForm.Json;
    }

    /// <summary>Writes a body as one JSON value on one line.</summary>
    /// <param name="form">What the body is.</param>
    /// <param name="body">The body.</param>
    /// <param name="output">Where to.</param>
    public static void WriteJson(ChunkForm form, ReadOnlySpan<byte> body, IBufferWriter<byte> output)
    {
        switch (form)
        {
            case ChunkForm.Json:
                output.Write(body);
                break;
            case ChunkForm.SpacedJson:
                WriteSpaced(body, output);
                break;
            case ChunkForm.Text:
                JsonText.WriteString(body, output);
                break;
            default:
                WriteBase64(body, output);
                break;
        }
    }

    // In valid JSON a raw line break stands between tokens only, where a space means the same.
    private static void WriteSpaced(ReadOnlySpan<byte> body, IBufferWriter<byte> output)
    {
        var line = output.GetSpan(body.Length)[..body.Length];
        body.Replace(line, (byte)'\n', (byte)' ');
        line.Replace((byte)'\r', (byte)' ');
        output.Advance(body.Length);
    }

    private static void WriteBase64(ReadOnlySpan<byte> body, IBufferWriter<byte> output)
    {
        var text = output.GetSpan(Base64.GetMaxEncodedToUtf8Length(body.Length) + 2);
        text[0] = (byte)'"';
        Base64.EncodeToUtf8(body, text[1..], out _, out var written);
        text[written + 1] = (byte)'"';
        output.Advance(written + 2);
    }

    /// <summary>What is text in all likelihood is sorted out by its ends: the reader tells of bad JSON by an exception, which costs ten microseconds.</summary>
    private static bool IsJson(ReadOnlySpan<byte> value) => !value.IsEmpty && value[0] switch
    {
        (byte)'{' => value[^1] == (byte)'}' && IsRead(value),
        (byte)'[' => value[^1] == (byte)']' && IsRead(value),
        (byte)'"' => value.Length > 1 && value[^1] == (byte)'"' && IsRead(value),
        (byte)'t' => value.SequenceEqual("true"u8),
        (byte)'f' => value.SequenceEqual("false"u8),
        (byte)'n' => value.SequenceEqual("null"u8),
        (byte)'-' or (>= (byte)'0' and <= (byte)'9') => !value.ContainsAnyExcept(InNumbers) && IsRead(value),
        _ => false,
    };

    private static bool IsRead(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
