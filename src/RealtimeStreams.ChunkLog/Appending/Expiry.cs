using System.Diagnostics;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Reading;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>Gives up what of a stream is older than a time.</summary>
/// <remarks>
/// 1. Search the first record that is younger: what is before it has expired. 2. Append a record without chunks that moves the trim point there: the fold of the log goes on with it, and
/// all readers on all nodes learn the same first index, as of a trim. Where everything has expired, it is what is left of the stream. An append in between harms nothing: it is younger.
/// 3. Remove the records before. Each step can be repeated; a crash after the second leaves records that nobody reads any more, for the next call.
/// </remarks>
internal sealed class Expiry(RecordGets gets, IndexSeek seek, Appenders appenders, Trimmer trimmer, TimeProvider clock)
{
    private static readonly StreamLimits NoLimits = new(long.MaxValue, long.MaxValue);

    public async Task<StreamExpiry?> ExpireAsync(StreamAddress stream, DateTimeOffset cutOff, CancellationToken cancellationToken)
    {
        var place = SubjectMap.Of(stream);
        if (await gets.FindLastAsync(place, cancellationToken) is not { } last) return null;

        // 1.
        var younger = await seek.FindAdmittedAsync(place, cutOff, cancellationToken) is { } sequence
            ? await gets.FindNextFreshAsync(place, sequence, cancellationToken)
            : null;
        var first = younger?.FirstIndex ?? last.NextIndex;
        if (first < last.TrimPoint) first = last.TrimPoint;

        // 2.
        if (first > last.TrimPoint)
        {
            var request = new AppendRequest(null, null, NoLimits, clock.GetUtcNow(), clock.GetTimestamp()) { TrimPoint = first };
            switch (await appenders.AppendAsync(stream, request, cancellationToken))
            {
                case AppendOutcome.Stored:
                    break;
                case AppendOutcome.Refused { Refusal.Code: var code } when code == ErrorCode.StreamGone:
                    return null;
                case AppendOutcome.Refused { Refusal: var refusal }:
                    throw new LogUnavailableException($"What expired could not be given up: {refusal.Detail}");
                default:
                    throw new UnreachableException();
            }
        }

        // 3.
        if (first > ChunkIndex.Zero) await trimmer.TrimNowAsync(place, first, cancellationToken);
        return new StreamExpiry(
            first, last.NextIndex, first < last.NextIndex ? younger?.LastAdmittedAt : null, last.End, first.Value - last.TrimPoint.Value);
    }
}
