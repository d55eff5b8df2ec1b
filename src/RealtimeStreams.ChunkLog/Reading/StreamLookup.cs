using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Reading;

/// <summary>Answers what is stored of a stream, without following it.</summary>
internal sealed class StreamLookup(RecordGets gets, IndexSeek seek)
{
    /// <summary>What is stored; null when nothing is.</summary>
    public async Task<StreamSummary?> FindAsync(SubjectMap place, CancellationToken cancellationToken)
    {
        if (await gets.FindLastAsync(place, cancellationToken) is not { } last) return null;
        var first = last.FirstIndex == ChunkIndex.Zero ? last : await gets.FindNextAsync(place, 1, cancellationToken) ?? last;
        // What was given up may not have been removed yet.
        var firstIndex = last.TrimPoint > first.FirstIndex ? last.TrimPoint : first.FirstIndex;
        if (firstIndex >= last.FirstIndex) first = last;
        else if (firstIndex >= first.NextIndex && await seek.FindAsync(place, firstIndex, cancellationToken) is { } sequence)
            first = await gets.FindNextAsync(place, sequence, cancellationToken) ?? last;
        return new StreamSummary(
            firstIndex,
            last.NextIndex,
            last.TotalBytes,
            last.End,
            [.. last.Producers()],
            firstIndex > first.FirstIndex && firstIndex < first.NextIndex ? first.AdmittedAt((int)(firstIndex.Value - first.FirstIndex.Value)) : first.Time,
            last.Count == 0 ? last.Time : last.AdmittedAt(last.Count - 1),
            last.LastTimestamp);
    }

    /// <summary>The first chunk that is left with this timestamp or a later one; null when there is none.</summary>
    public async Task<ChunkIndex?> FindByTimestampAsync(SubjectMap place, long timestamp, CancellationToken cancellationToken)
    {
        if (await gets.FindLastAsync(place, cancellationToken) is not { } last || last.LastTimestamp < timestamp) return null;
        if (await seek.FindTimestampAsync(place, timestamp, cancellationToken) is not { } sequence) return null;
        var record = await gets.FindNextAsync(place, sequence, cancellationToken)
            ?? await gets.FindNextFreshAsync(place, sequence, cancellationToken);
        while (record is { Count: 0 }) record = await gets.FindNextFreshAsync(place, record.Sequence + 1, cancellationToken); // It only told what expired.
        for (var i = 0; i < record?.Count; i++)
        {
            if (record.TimestampOf(i) < timestamp) continue;
            var found = record.FirstIndex.Plus(i);
            if (found >= last.TrimPoint) return found;
            return last.TrimPoint < last.NextIndex ? last.TrimPoint : null;
        }
        return null;
    }
}
