using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Reading;

/// <summary>Finds the record that holds an index or a time, with no index of its own: an interpolation search over JetStream sequences, 4 to 5 gets.</summary>
/// <remarks>
/// A stream's records lie roughly evenly between those of others, so that guessing between two known records comes close. After 8 guesses it
/// bisects, which bounds it whatever the layout. Records that are removed meanwhile are the oldest ones: what is found then is the first that is left.
/// </remarks>
internal sealed class IndexSeek(RecordGets gets)
{
    private const int Guesses = 8;

    /// <summary>The sequence of the record that holds <paramref name="cursor"/>, or of the first record that is left when that one is gone; null when nothing is stored from there on.</summary>
    public Task<ulong?> FindAsync(SubjectMap place, ChunkIndex cursor, CancellationToken cancellationToken) =>
        FindAsync(place, new Sought(cursor.Value, ByTime: false), cancellationToken);

    /// <summary>The sequence of the first record that is left and has a chunk with this timestamp or a later one; null when there is none.</summary>
    public Task<ulong?> FindTimestampAsync(SubjectMap place, long timestamp, CancellationToken cancellationToken) =>
        FindAsync(place, new Sought(timestamp, ByTime: true), cancellationToken);

    private async Task<ulong?> FindAsync(SubjectMap place, Sought sought, CancellationToken cancellationToken)
    {
        var low = await gets.FindNextAsync(place, 1, cancellationToken);
        if (low is not null && !sought.IsAfter(low)) return low.Sequence;
        var high = await gets.FindLastAsync(place, cancellationToken);
        if (high is null || sought.IsAfter(high)) return null;
        if (low is null || sought.IsIn(high)) return high.Sequence;

        // The record sought lies strictly between low and highSequence, or is the one there.
        var highSequence = high.Sequence;
        var highPosition = sought.PositionOf(high);
        for (var attempt = 0; low.Sequence + 1 < highSequence; attempt++)
        {
            var guess = attempt < Guesses
                ? Interpolate(low.Sequence, sought.PositionOf(low), highSequence, highPosition, sought.Value)
                : low.Sequence + (highSequence - low.Sequence) / 2;
            var record = await gets.FindNextAsync(place, guess, cancellationToken)
                ?? await gets.FindNextFreshAsync(place, guess, cancellationToken)
                ?? high;
            if (sought.IsAfter(record))
            {
                low = record;
                continue;
            }
            if (sought.IsIn(record)) return record.Sequence;
            highSequence = guess; // Nothing of this stream lies between the guess and that record.
            highPosition = sought.PositionOf(record);
        }
        return highSequence;
    }

    private static ulong Interpolate(ulong lowSequence, long low, ulong highSequence, long high, long sought)
    {
        var share = (double)(sought - low) / Math.Max(1, high - low);
        var guess = lowSequence + (ulong)(share * (highSequence - lowSequence));
        return Math.Clamp(guess, lowSequence + 1, highSequence - 1);
    }

    /// <summary>What is sought: an index, or the first of the timestamps that are not before a time. Both never decrease along a stream.</summary>
    private readonly record struct Sought(long Value, bool ByTime)
    {
        public bool IsAfter(LogRecord record) => (ByTime ? record.LastTimestamp : record.NextIndex.Value - 1) < Value;

        /// <summary>Whether it is in a record that it is not after. Equal timestamps may begin in an earlier record.</summary>
        public bool IsIn(LogRecord record) => ByTime ? record.FirstTimestamp < Value : record.FirstIndex.Value <= Value;

        public long PositionOf(LogRecord record) => ByTime ? record.LastTimestamp : record.FirstIndex.Value;
    }
}
