using System.Buffers;
using System.Globalization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Http;

/// <summary>Writes server-sent events (the WHATWG's HTML standard, section 9.2) without allocating. Does not flush.</summary>
/// <param name="output">Where to.</param>
public readonly struct SseWriter(IBufferWriter<byte> output)
{
    // Digits of the largest index, 9,223,372,036,854,775,807.
    private const int MaxDigits = 19;

    /// <summary>A chunk: an event without a name, with its index as id.</summary>
    /// <param name="index">The chunk's index.</param>
    /// <param name="json">One line of JSON; chunks are stored that way.</param>
    public void WriteChunk(ChunkIndex index, ReadOnlySpan<byte> json)
    {
        BeginChunk(index);
        output.Write(json);
        EndChunk();
    }

    /// <summary>Begins a chunk's event; what is written to the output until <see cref="EndChunk"/> is its data: one line.</summary>
    /// <param name="index">The chunk's index.</param>
    public void BeginChunk(ChunkIndex index)
    {
        output.Write("id: "u8);
        index.Value.TryFormat(output.GetSpan(MaxDigits), out var digits, default, CultureInfo.InvariantCulture);
        output.Advance(digits);
        output.Write("\ndata: "u8);
    }

    /// <summary>Ends a chunk's event.</summary>
    public void EndChunk() => output.Write("\n\n"u8);

    /// <summary>A named event without an id, so that the reader's last id stays a chunk's.</summary>
    /// <param name="name">The event's name, in ASCII.</param>
    /// <param name="json">One line of JSON.</param>
    public void WriteEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        output.Write("event: "u8);
        output.Write(name);
        output.Write("\ndata: "u8);
        output.Write(json);
        output.Write("\n\n"u8);
    }

    /// <summary>A comment, which readers skip.</summary>
    /// <param name="text">One line.</param>
    public void WriteComment(ReadOnlySpan<byte> text)
    {
        output.Write(": "u8);
        output.Write(text);
        output.Write("\n\n"u8);
    }

    /// <summary>How long a reader waits before it connects again.</summary>
    public void WriteRetry(TimeSpan wait)
    {
        output.Write("retry: "u8);
        ((long)wait.TotalMilliseconds).TryFormat(output.GetSpan(MaxDigits), out var digits, default, CultureInfo.InvariantCulture);
        output.Advance(digits);
        output.Write("\n\n"u8);
    }
}
