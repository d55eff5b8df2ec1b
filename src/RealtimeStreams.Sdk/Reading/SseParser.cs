using System.Buffers;
using System.Buffers.Text;

namespace RealtimeStreams.Sdk.Reading;

/// <summary>The kinds of events that the native dialect has.</summary>
internal enum SseKind
{
    Chunk,
    CaughtUp,
    End,
    Trimmed,
    Timeout,
    Reconnect,
    TokenExpired,
    StopRequested,
    Error,
    Unknown,
}

/// <summary>
/// Takes server-sent events (WHATWG HTML, section 9.2.6) out of bytes that come in any pieces. Allocates nothing per event. One owner at a time.
/// </summary>
internal sealed class SseParser
{
    /// <summary>A chunk has at most 1 MiB; nothing sensible is larger than this.</summary>
    private const int MaxEventBytes = 16 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> line = new(256); // The beginning of a line whose end has not come.
    private readonly ArrayBufferWriter<byte> data = new(4096);
    private bool afterCarriageReturn;
    private bool begun;
    private bool hasData;
    private bool isDelivered;

    /// <summary>The kind of the event that was read last.</summary>
    public SseKind Kind { get; private set; }

    /// <summary>Its id, where that is a number.</summary>
    public long? Id { get; private set; }

    /// <summary>Its data. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Data => data.WrittenSpan;

    /// <summary>Forgets a part of an event, as its connection was cut.</summary>
    public void Reset()
    {
        line.ResetWrittenCount();
        afterCarriageReturn = begun = false;
        Clear();
    }

    /// <summary>Reads up to the end of the next event.</summary>
    /// <param name="input">What has come.</param>
    /// <param name="consumed">How much of it is used up; all of it when the answer is false.</param>
    /// <returns>Whether an event is complete, in this object's properties.</returns>
    /// <exception cref="InvalidDataException">An event has no end.</exception>
    public bool Read(ReadOnlySpan<byte> input, out int consumed)
    {
        if (isDelivered) Clear();
        consumed = 0;
        while (true)
        {
            var rest = input[consumed..];
            if (afterCarriageReturn && rest.Length > 0)
            {
                afterCarriageReturn = false;
                if (rest[0] == '\n')
                {
                    consumed++;
                    continue;
                }
            }
            var end = rest.IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0)
            {
                Keep(rest);
                consumed = input.Length;
                return false;
            }
            consumed += end + 1;
            afterCarriageReturn = rest[end] == '\r';
            if (line.WrittenCount == 0)
            {
                if (TakeLine(rest[..end])) return true;
                continue;
            }
            Keep(rest[..end]);
            var isEvent = TakeLine(line.WrittenSpan);
            line.ResetWrittenCount();
            if (isEvent) return true;
        }
    }

    /// <summary>Takes one line; true when it ends an event.</summary>
    private bool TakeLine(ReadOnlySpan<byte> text)
    {
        if (!begun)
        {
            begun = true;
            if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        }
        if (text.IsEmpty)
        {
            if (hasData) return isDelivered = true;
            Clear(); // An event without data is none.
            return false;
        }
        var colon = text.IndexOf((byte)':');
        var field = colon < 0 ? text : text[..colon];
        var value = colon < 0 ? [] : text[(colon + 1)..];
        if (value.StartsWith(" "u8)) value = value[1..];
        if (field.SequenceEqual("data"u8)) AddData(value);
        else if (field.SequenceEqual("id"u8)) Id = Utf8Parser.TryParse(value, out long id, out var used) && used == value.Length ? id : null;
        else if (field.SequenceEqual("event"u8)) Kind = ToKind(value);
        return false; // Comments (an empty field), retry, and what else there may be one day.
    }

    private void AddData(ReadOnlySpan<byte> value)
    {
        if (data.WrittenCount + value.Length > MaxEventBytes) throw TooLarge();
        if (hasData) data.Write("\n"u8);
        data.Write(value);
        hasData = true;
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        if (line.WrittenCount + part.Length > MaxEventBytes) throw TooLarge();
        line.Write(part);
    }

    private void Clear()
    {
        data.ResetWrittenCount();
        Kind = SseKind.Chunk;
        Id = null;
        hasData = isDelivered = false;
    }

    private static SseKind ToKind(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("caught-up"u8) ? SseKind.CaughtUp
        : name.SequenceEqual("end"u8) ? SseKind.End
        : name.SequenceEqual("trimmed"u8) ? SseKind.Trimmed
        : name.SequenceEqual("timeout"u8) ? SseKind.Timeout
        : name.SequenceEqual("reconnect"u8) ? SseKind.Reconnect
        : name.SequenceEqual("token-expired"u8) ? SseKind.TokenExpired
        : name.SequenceEqual("stop-requested"u8) ? SseKind.StopRequested
        : name.SequenceEqual("error"u8) ? SseKind.Error
        : name.IsEmpty || name.SequenceEqual("message"u8) ? SseKind.Chunk
        : SseKind.Unknown;

    private static InvalidDataException TooLarge() => new($"An event has more than {MaxEventBytes} bytes.");
}
