using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.S2.Reading;

/// <summary>Finds the index at which a read starts.</summary>
internal static class ReadStart
{
    /// <param name="reads">The streams.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="mayFollow">Whether the read may wait for what is still to come; only then may it start at the end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<(ChunkIndex Start, S2Error? Error)> FindAsync(
        IStreamReads reads, StreamAddress stream, ReadRequest request, bool mayFollow, CancellationToken cancellationToken)
    {
        var (first, next, lastTimestamp, _) = await reads.FindTailAsync(stream, cancellationToken);
        ChunkIndex? start = request.Kind switch
        {
            StartKind.SeqNum => new ChunkIndex(request.Start),
            StartKind.TailOffset => new ChunkIndex(Math.Max(0, next.Value - request.Start)),
            // Behind all timestamps is behind the end; a record that came meanwhile has a later one than that.
            _ when request.Start > lastTimestamp => null,
            _ => await reads.FindByTimestampAsync(stream, request.Start, cancellationToken) ?? next,
        };
        if (start is null || start > next)
        {
            if (!request.Clamp) return (default, S2Error.RangeNotSatisfiable(new StreamPosition(next.Value, lastTimestamp)));
            start = next;
        }
        // What was given up, or has expired, begins with what is left.
        if (start < first) start = first;
        if (start == next && !mayFollow) return (default, S2Error.RangeNotSatisfiable(new StreamPosition(next.Value, lastTimestamp)));
        return (start.Value, null);
    }
}
