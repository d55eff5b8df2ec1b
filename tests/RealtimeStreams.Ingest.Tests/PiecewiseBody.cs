using System.Buffers;
using System.IO.Pipelines;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>A body that arrives in given pieces: each read brings one, and nothing is at hand before it is asked for.</summary>
/// <param name="pieces">The pieces.</param>
/// <param name="end">What the read after the last piece throws; null: the body ends cleanly.</param>
internal sealed class PiecewiseBody(IReadOnlyList<ReadOnlySequence<byte>> pieces, Exception? end = null) : PipeReader
{
    private int next;

    /// <summary>How many pieces were asked for.</summary>
    public int Reads => next;

    public PiecewiseBody(Exception? end, params byte[][] pieces)
        : this([.. pieces.Select(piece => new ReadOnlySequence<byte>(piece))], end)
    {
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (next < pieces.Count) return ValueTask.FromResult(new ReadResult(pieces[next++], isCanceled: false, isCompleted: false));
        return end is null
            ? ValueTask.FromResult(new ReadResult(default, isCanceled: false, isCompleted: true))
            : ValueTask.FromException<ReadResult>(end);
    }

    public override bool TryRead(out ReadResult result)
    {
        result = default;
        return false;
    }

    public override void AdvanceTo(SequencePosition consumed)
    {
    }

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
    }

    public override void CancelPendingRead()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}

/// <summary>Makes sequences of several segments.</summary>
internal sealed class Segment : ReadOnlySequenceSegment<byte>
{
    private Segment(ReadOnlyMemory<byte> memory, long index)
    {
        Memory = memory;
        RunningIndex = index;
    }

    public static ReadOnlySequence<byte> Sequence(params IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var first = new Segment(parts[0], 0);
        var last = first;
        foreach (var part in parts.Skip(1))
        {
            var segment = new Segment(part, last.RunningIndex + last.Memory.Length);
            last.Next = segment;
            last = segment;
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
