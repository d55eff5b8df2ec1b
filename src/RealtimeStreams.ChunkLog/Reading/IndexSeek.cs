using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Reading;

/// <summary>Finds the record that holds an index, with no index of its own: an interpolation search over JetStream sequences, 4 to 5 gets.</summary>
/// <remarks>
/// A stream's records lie roughly evenly between those of others, so that guessing between two known records comes close. After 8 guesses it
/// bisects, which bounds it whatever the layout.
/// </remarks>
internal sealed class IndexSeek(RecordGets gets)
{
    private const int Guesses = 8;

    /// <summary>The sequence of the record that holds <paramref name="cursor"/>, or of the first record that is left when that one is gone; null when nothing is stored from there on.</summary>
    public async Task<ulong?> FindAsync(SubjectMap place, ChunkIndex cursor, CancellationToken cancellationToken)
    {
        var low = await gets.FindNextAsync(place, 1, cancellationToken);
        if (low is not null && cursor < low.NextIndex) return low.Sequence;
        var high = await gets.FindLastAsync(place, cancellationToken);
        if (high is null || cursor >= high.NextIndex) return null;
        if (low is null || cursor >= high.FirstIndex) return high.Sequence;

        // The record sought lies strictly between low and highSequence.
        var highSequence = high.Sequence;
        var highIndex = high.FirstIndex;
        for (var attempt = 0; low.Sequence + 1 < highSequence; attempt++)
        {
            var guess = attempt < Guesses
                ? Interpolate(low.Sequence, low.FirstIndex, highSequence, highIndex, cursor)
                : low.Sequence + (highSequence - low.Sequence) / 2;
            var record = await gets.FindNextAsync(place, guess, cancellationToken)
                ?? await gets.FindNextFreshAsync(place, guess, cancellationToken)
                ?? high;
            if (cursor >= record.NextIndex)
            {
                low = record;
                continue;
            }
            if (cursor >= record.FirstIndex) return record.Sequence;
            highSequence = guess; // Nothing of this stream lies between the guess and that record.
            highIndex = record.FirstIndex;
        }
        return highSequence;
    }

    private static ulong Interpolate(ulong lowSequence, ChunkIndex lowIndex, ulong highSequence, ChunkIndex highIndex, ChunkIndex cursor)
    {
        var share = (double)(cursor.Value - lowIndex.Value) / Math.Max(1, highIndex.Value - lowIndex.Value);
        var guess = lowSequence + (ulong)(share * (highSequence - lowSequence));
        return Math.Clamp(guess, lowSequence + 1, highSequence - 1);
    }
}
