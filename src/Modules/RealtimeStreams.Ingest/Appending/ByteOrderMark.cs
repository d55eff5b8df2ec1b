using RealtimeStreams.ChunkLog;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>The mark that some editors put before UTF-8. It is no part of the text (RFC 8259, section 8.1, lets a parser ignore it).</summary>
internal static class ByteOrderMark
{
    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    public static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Mark) ? bytes[Mark.Length..] : bytes;

    /// <summary>Turns a mark at the start of the batch's pending bytes into white space, which is trimmed anyway.</summary>
    public static void Drop(ChunkBatch batch)
    {
        var pending = batch.Pending;
        if (pending.StartsWith(Mark)) pending[..Mark.Length].Fill((byte)' ');
    }
}
