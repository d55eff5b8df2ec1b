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
        FindAsync(place, new Sought(Scale.Index, cursor.Value), cancellationToken);

    /// <summary>The sequence of the first record that is left and has a chunk with this timestamp or a later one; null when there is none.</summary>
    public Task<ulong?> FindTimestampAsync(SubjectMap place, long timestamp, CancellationToken cancellationToken) =>
        FindAsync(place, new Sought(Scale.Timestamp, timestamp), cancellationToken);

    /// <summary>The sequence of the first record that is left and was admitted, as a whole, at a time or later; null when there is none.</summary>
    /// <remarks>Where the clocks of the nodes that wrote it differ, so does what is found, by no more than they do.</remarks>
    public Task<ulong?> FindAdmittedAsync(SubjectMap place, DateTimeOffset time, CancellationToken cancellationToken) =>
        FindAsync(place, new Sought(Scale.Admission, time.ToUnixTimeMilliseconds()), cancellationToken);

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

    /// <summary>What does not decrease along a stream, so that it can be sought.</summary>
    private enum Scale
    {
        Index,
        Timestamp,
        Admission,
    }

    /// <summary>What is sought: an index, or the first of the times that are not before a time.</summary>
    private readonly record struct Sought(Scale Scale, long Value)
    {
        public bool IsAfter(LogRecord record) => LastOf(record) < Value;

        /// <summary>Whether it is in a record that it is not after. Equal times may begin in an earlier record.</summary>
        public bool IsIn(LogRecord record) => Scale switch
        {
            Scale.Index => record.FirstIndex.Value <= Value,
            Scale.Timestamp => record.FirstTimestamp < Value,
            _ => record.Time.ToUnixTimeMilliseconds() < Value,
        };

        public long PositionOf(LogRecord record) => Scale == Scale.Index ? record.FirstIndex.Value : LastOf(record);

        private long LastOf(LogRecord record) => Scale switch
        {
            Scale.Index => record.NextIndex.Value - 1,
            Scale.Timestamp => record.LastTimestamp,
            _ => record.LastAdmittedAt.ToUnixTimeMilliseconds(),
        };
    }
}
