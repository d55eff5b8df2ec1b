using System.Buffers;
using System.Buffers.Binary;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>What is in a frame's fourth byte.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,
    ReconnectAdvised = 0x10,
    Zstd = 0x20,
    Gzip = 0x40,
    CompressionMask = 0x60,
    Terminal = 0x80,
}

/// <summary>The frames of sessions (s2s): three bytes of length, a byte of flags, the payload.</summary>
internal static class Frame
{
    /// <summary>The most that a frame's length may say: flags and payload, 2 MiB.</summary>
    public const int MaxLength = 2 * 1024 * 1024;

    /// <summary>The most bytes of a payload, also of one that was compressed.</summary>
    public const int MaxPayload = MaxLength - FlagBytes;

    /// <summary>What stands before the payload.</summary>
    public const int HeaderBytes = LengthBytes + FlagBytes;

    private const int LengthBytes = 3;
    private const int FlagBytes = 1;
    private const int StatusBytes = 2;

    /// <summary>Takes the next frame off the buffer.</summary>
    /// <param name="buffer">What has arrived; cut to what follows the frame.</param>
    /// <param name="flags">The frame's flags.</param>
    /// <param name="payload">Its payload, as part of the buffer.</param>
    /// <param name="error">Why this can be no frame.</param>
    /// <returns>False when there is an error, or when the frame is not complete yet.</returns>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out FrameFlags flags, out ReadOnlySequence<byte> payload, out S2Error? error)
    {
        flags = default;
        payload = default;
        error = null;
        if (buffer.Length < LengthBytes) return false;
        Span<byte> header = stackalloc byte[HeaderBytes];
        buffer.Slice(0, LengthBytes).CopyTo(header);
        var length = (header[0] << 16) | (header[1] << 8) | header[2];
        if (length < FlagBytes) error = S2Error.BadFrame("A frame has a length of 0; its flags need 1.");
        else if (length > MaxLength) error = S2Error.BadFrame($"A frame has a length of {length}; it may have at most {MaxLength}.");
        if (error is not null || buffer.Length < HeaderBytes) return false;
        buffer.Slice(0, HeaderBytes).CopyTo(header);
        flags = (FrameFlags)header[LengthBytes];
        error = FindFault(flags); // Before the payload has come: it would be for nothing.
        if (error is not null || buffer.Length < LengthBytes + length) return false;
        payload = buffer.Slice(HeaderBytes, length - FlagBytes);
        buffer = buffer.Slice(LengthBytes + length);
        return true;
    }

    /// <summary>Writes what stands before a payload.</summary>
    public static void WriteHeader(IBufferWriter<byte> output, int payloadBytes, FrameFlags flags = FrameFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payloadBytes, MaxPayload);
        BinaryPrimitives.WriteUInt32BigEndian(output.GetSpan(HeaderBytes), (uint)((payloadBytes + FlagBytes) << 8) | (byte)flags);
        output.Advance(HeaderBytes);
    }

    /// <summary>Writes the frame that ends a session with an error.</summary>
    public static void WriteTerminal(IBufferWriter<byte> output, S2Error error)
    {
        WriteHeader(output, StatusBytes + error.Body.Length, FrameFlags.Terminal);
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(StatusBytes), (ushort)error.Status);
        output.Advance(StatusBytes);
        output.Write(error.Body.Span);
    }

    private static S2Error? FindFault(FrameFlags flags) =>
        (flags & FrameFlags.Terminal) != 0 ? S2Error.BadFrame("A terminal frame ends an answer; a request's body just ends.")
        : (flags & FrameFlags.CompressionMask) == FrameFlags.CompressionMask ? S2Error.BadFrame("A frame says that it is compressed in a way that does not exist (flags 0x60).")
        : null;
}
