using System.Buffers;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Appending;

/// <summary>Cuts the bytes of a body into lines and makes chunks of them, wherever the segments end.</summary>
/// <remarks>A line is copied once, into the batch; an unfinished one waits there as its pending bytes.</remarks>
internal sealed class LineReader(int maxChunkBytes)
{
    /// <summary>A batch is full at so many bytes (a record's size while packing), or at <see cref="ChunkBatch.MaxCount"/> chunks.</summary>
    public const int FullBytes = 64 * 1024;

    // A line may have so much white space around its chunk (a carriage return, say) before it is refused unseen.
    private const int Slack = 64;

    private long line = 1;

    /// <summary>Why a line cannot be stored. Nothing more is taken then.</summary>
    public Refusal? Fault { get; private set; }

    /// <summary>Takes lines into <paramref name="batch"/> until the bytes end, the batch is full, or a line is at fault.</summary>
    /// <returns>How many bytes were taken; fewer than there are when the batch is full or a line is at fault.</returns>
    public long Take(in ReadOnlySequence<byte> bytes, ChunkBatch batch)
    {
        if (bytes.IsSingleSegment) return Take(bytes.FirstSpan, batch);
        var taken = 0L;
        foreach (var segment in bytes)
        {
            var of = Take(segment.Span, batch);
            taken += of;
            if (of < segment.Length) break;
        }
        return taken;
    }

    /// <summary>Takes what follows the last line end, at the clean end of a body.</summary>
    public void TakeRest(ChunkBatch batch) => EndLine(batch);

    private int Take(ReadOnlySpan<byte> bytes, ChunkBatch batch)
    {
        var taken = 0;
        while (taken < bytes.Length && Fault is null)
        {
            var rest = bytes[taken..];
            var end = rest.IndexOf((byte)'\n');
            var part = end < 0 ? rest : rest[..end];
            var pending = batch.Pending.Length;
            if (pending == 0) part = part.TrimStart(JsonLine.Blank);
            if (batch.Count == ChunkBatch.MaxCount || (batch.Count > 0 && batch.Length + pending + part.Length > FullBytes)) break;
            if (pending + part.Length > maxChunkBytes + Slack)
            {
                Fault = JsonLine.TooLarge($"more than {maxChunkBytes}", maxChunkBytes).Of($"Line {line}");
                break;
            }
            part.CopyTo(batch.GetSpan(part.Length));
            batch.Advance(part.Length);
            if (end < 0) return bytes.Length;
            taken += end + 1;
            EndLine(batch);
        }
        return taken;
    }

    private void EndLine(ChunkBatch batch)
    {
        if (line == 1) ByteOrderMark.Drop(batch);
        Fault = JsonLine.TryAdd(batch, maxChunkBytes)?.Of($"Line {line}");
        line++;
    }
}
