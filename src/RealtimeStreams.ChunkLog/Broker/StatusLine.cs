using System.Buffers;
using System.Buffers.Text;

namespace RealtimeStreams.ChunkLog.Broker;

/// <summary>Reads the few things that matter from a message's header block, without making a dictionary of it.</summary>
internal static class StatusLine
{
    /// <summary>The status behind <c>NATS/1.0</c>; 0 when there is none.</summary>
    public static int Read(ReadOnlySequence<byte> headers)
    {
        Span<byte> start = stackalloc byte[12];
        if (headers.Length < start.Length) return 0;
        headers.Slice(0, start.Length).CopyTo(start);
        return start[8] == (byte)' ' && Utf8Parser.TryParse(start[9..], out int status, out _) ? status : 0;
    }

    /// <summary>The value of <c>Nats-Sequence</c>.</summary>
    public static ulong? FindSequence(ReadOnlySequence<byte> headers) => Find(headers, "\r\nNats-Sequence: "u8);

    /// <summary>The value of <c>Nats-Num-Pending</c>, which the messages of a batch have.</summary>
    public static ulong? FindPending(ReadOnlySequence<byte> headers) => Find(headers, "\r\nNats-Num-Pending: "u8);

    private static ulong? Find(ReadOnlySequence<byte> headers, ReadOnlySpan<byte> name)
    {
        if (headers.IsSingleSegment) return Find(headers.FirstSpan, name);
        // The headers of a get are below 300 bytes; longer ones are not the broker's.
        if (headers.Length > 1024) return null;
        Span<byte> copy = stackalloc byte[(int)headers.Length];
        headers.CopyTo(copy);
        return Find(copy, name);
    }

    private static ulong? Find(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> name)
    {
        var at = headers.IndexOf(name);
        if (at < 0) return null;
        return Utf8Parser.TryParse(headers[(at + name.Length)..], out ulong value, out _) ? value : null;
    }
}
