using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Http;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>From where a client wants to read.</summary>
internal enum StartKind
{
    /// <summary>From the end on. A start by default counts as one at an offset of 0.</summary>
    TailOffset,

    /// <summary>From an index on.</summary>
    SeqNum,

    /// <summary>From the first record on that has this timestamp or a later one.</summary>
    Timestamp,
}

/// <summary>What a read asks for.</summary>
/// <param name="Kind">From where.</param>
/// <param name="Start">The index, the timestamp or the offset.</param>
/// <param name="Clamp">Whether a start behind the end becomes the end.</param>
/// <param name="Count">The most records; null: all.</param>
/// <param name="Bytes">The most metered bytes; null: all.</param>
/// <param name="Until">The timestamp before which the read ends; null: none.</param>
/// <param name="Wait">How long to wait for a record; null: not said.</param>
internal sealed record ReadRequest(StartKind Kind, long Start, bool Clamp, long? Count, long? Bytes, long? Until, TimeSpan? Wait)
{
    // A month: longer than anybody waits, and short enough for a timer.
    private const long MaxWaitSeconds = 30 * 24 * 3600;

    /// <summary>Whether nothing but the client or the stream's end ends the read.</summary>
    public bool IsUnlimited => Count is null && Bytes is null && Until is null;

    /// <summary>Reads the query.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public static S2Error? TryRead(HttpRequest request, out ReadRequest? read)
    {
        read = null;
        var query = request.Query;
        long? seqNum = null, timestamp = null, offset = null, count = null, bytes = null, until = null, wait = null;
        var clamp = false;
        var error = Number(query, "seq_num", ref seqNum) ?? Number(query, "timestamp", ref timestamp) ?? Number(query, "tail_offset", ref offset)
            ?? Number(query, "count", ref count) ?? Number(query, "bytes", ref bytes) ?? Number(query, "until", ref until)
            ?? Number(query, "wait", ref wait) ?? Flag(query, "clamp", ref clamp);
        if (error is not null) return error;
        if ((seqNum is null ? 0 : 1) + (timestamp is null ? 0 : 1) + (offset is null ? 0 : 1) > 1)
            return S2Error.Invalid("A read starts at one place: seq_num, timestamp or tail_offset.");
        if (timestamp >= until) return S2Error.Invalid($"The read would start at the timestamp {timestamp}, which is not before its end, {until}.");
        var (kind, start) = seqNum is { } index ? (StartKind.SeqNum, index) : timestamp is { } time ? (StartKind.Timestamp, time) : (StartKind.TailOffset, offset ?? 0);
        read = new ReadRequest(kind, start, clamp, count, bytes, until, wait is { } seconds ? TimeSpan.FromSeconds(Math.Min(seconds, MaxWaitSeconds)) : null);
        return null;
    }

    /// <summary>The same read as it goes on behind what a client of server-sent events has got, by its <c>Last-Event-ID</c>: last index, records, metered bytes.</summary>
    public S2Error? TryResume(string lastEventId, out ReadRequest resumed)
    {
        resumed = this;
        if (lastEventId.Length == 0) return null;
        if (lastEventId.Split(',') is not [var last, var records, var bytes]
            || !TryParse(last, out var index) || !TryParse(records, out var gotRecords) || !TryParse(bytes, out var gotBytes))
        {
            return S2Error.BadHeader($"The header Last-Event-ID is {MediaTypes.Shorten(lastEventId)}; it must be the id of an event of a read.");
        }
        resumed = this with
        {
            Kind = StartKind.SeqNum,
            Start = index == long.MaxValue ? index : index + 1,
            Count = Count is { } count ? Math.Max(0, count - gotRecords) : null,
            Bytes = Bytes is { } most ? Math.Max(0, most - gotBytes) : null,
        };
        return null;
    }

    private static S2Error? Number(IQueryCollection query, string name, ref long? number)
    {
        var text = query[name];
        if (text.Count == 0) return null;
        if (!TryParse(text.ToString(), out var parsed)) return S2Error.BadQuery($"The parameter {name} is {MediaTypes.Shorten(text.ToString())}; it must be a number from 0 on.");
        number = parsed;
        return null;
    }

    private static S2Error? Flag(IQueryCollection query, string name, ref bool flag)
    {
        var text = query[name].ToString();
        flag = text == "true";
        return text is "" or "true" or "false" ? null : S2Error.BadQuery($"The parameter {name} is {MediaTypes.Shorten(text)}; it must be true or false.");
    }

    // 64 bits without a sign, of which nothing of ours needs the last.
    private static bool TryParse(string text, out long number)
    {
        var parsed = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        number = (long)Math.Min(value, long.MaxValue);
        return parsed;
    }
}
