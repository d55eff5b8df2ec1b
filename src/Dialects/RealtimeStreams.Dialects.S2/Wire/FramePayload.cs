using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using ZstdSharp;

namespace RealtimeStreams.Dialects.S2.Wire;

/// <summary>Makes one piece of memory of a frame's payload, and undoes its compression. Its memory is pooled and used again for the next frame.</summary>
internal sealed class FramePayload : IDisposable
{
    private const int GzipSizeBytes = 4;

    private byte[] joined = [];
    private byte[] expanded = [];

    /// <summary>The payload's bytes.</summary>
    /// <param name="flags">The frame's flags.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="bytes">The bytes; valid until the next call, and as long as <paramref name="payload"/> is.</param>
    /// <returns>Null, or what is wrong with the payload.</returns>
    public S2Error? Open(FrameFlags flags, ReadOnlySequence<byte> payload, out ReadOnlySpan<byte> bytes)
    {
        var source = Join(payload);
        bytes = source.Span;
        return (flags & FrameFlags.CompressionMask) switch
        {
            FrameFlags.None => null,
            FrameFlags.Gzip => ExpandGzip(source, out bytes),
            _ => ExpandZstd(source.Span, out bytes),
        };
    }

    public void Dispose()
    {
        Return(ref joined);
        Return(ref expanded);
    }

    /// <summary>The bytes in one piece; valid as those of <see cref="Open"/>.</summary>
    public ReadOnlyMemory<byte> Join(ReadOnlySequence<byte> payload)
    {
        if (payload.IsSingleSegment) return payload.First;
        var length = (int)payload.Length;
        if (joined.Length < length)
        {
            Return(ref joined);
            joined = ArrayPool<byte>.Shared.Rent(length);
        }
        payload.CopyTo(joined);
        return joined.AsMemory(0, length);
    }

    private S2Error? ExpandGzip(ReadOnlyMemory<byte> source, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        var target = Target();
        try
        {
            using var gzip = new GZipStream(new ReadOnlyMemoryStream(source), CompressionMode.Decompress);
            var length = gzip.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
            if (length > Frame.MaxPayload) return TooLarge("gzip");
            // The stream ends quietly where its source does; the size at the end (RFC 1952, section 2.3.1) tells whether that was the end.
            if (source.Length < GzipSizeBytes || BinaryPrimitives.ReadUInt32LittleEndian(source.Span[^GzipSizeBytes..]) != length) return Broken("gzip");
            bytes = target.AsSpan(0, length);
            return null;
        }
        catch (InvalidDataException)
        {
            return Broken("gzip");
        }
    }

    private S2Error? ExpandZstd(ReadOnlySpan<byte> source, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (source.IsEmpty) return Broken("zstd");
        var target = Target();
        try
        {
            using var zstd = new Decompressor();
            // The target bounds it, whatever size the data claims.
            if (!zstd.TryUnwrap(source, target.AsSpan(0, Frame.MaxPayload), out var length)) return TooLarge("zstd");
            bytes = target.AsSpan(0, length);
            return null;
        }
        catch (ZstdException)
        {
            return Broken("zstd");
        }
    }

    private byte[] Target() => expanded.Length > 0 ? expanded : expanded = ArrayPool<byte>.Shared.Rent(Frame.MaxPayload + 1);

    private static S2Error Broken(string method) => S2Error.BadFrame($"A frame says that it is compressed with {method}; it is not, or not to its end.");

    private static S2Error TooLarge(string method) =>
        S2Error.BadFrame($"A frame that is compressed with {method} has more than {Frame.MaxPayload} bytes behind it, the most that it may have.");

    private static void Return(ref byte[] array)
    {
        if (array.Length > 0) ArrayPool<byte>.Shared.Return(array);
        array = [];
    }
}
