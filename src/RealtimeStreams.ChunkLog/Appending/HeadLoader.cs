using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Reading;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

internal enum HeadChange
{
    /// <summary>The head was current.</summary>
    None,

    /// <summary>Records of other writers were taken in.</summary>
    Moved,

    /// <summary>The record with the caller's nonce was the next one: it is stored. The head has it, and all after it.</summary>
    OwnStored,

    /// <summary>Records of other writers were taken in, but those right after the head are gone: the one with the caller's nonce may have been among them.</summary>
    Lost,

    /// <summary>The stream's records are gone. The head is empty now.</summary>
    Gone,
}

/// <summary>Brings a head up to what the broker's leader knows.</summary>
internal sealed class HeadLoader(RecordGets gets, TimeProvider clock)
{
    /// <summary>A request's window is counted back from when it came, which may be as long ago as an append may wait (<see cref="ChunkLogOptions.ConfirmTimeout"/>).</summary>
    private static readonly TimeSpan WaitBeforeAdmission = TimeSpan.FromMinutes(1);

    /// <summary>Takes in what the head missed.</summary>
    /// <param name="head">The head; an empty one is loaded from nothing.</param>
    /// <param name="place">The stream.</param>
    /// <param name="nonce">The nonce of a record whose fate is unknown; 0: none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="LogUnavailableException">The leader did not answer. The head is as it was.</exception>
    public async Task<HeadChange> ReloadAsync(StreamHead head, SubjectMap place, ulong nonce, CancellationToken cancellationToken)
    {
        var last = await gets.FindLastAsync(place, cancellationToken);
        if (last is null)
        {
            if (head.Sequence == 0) return HeadChange.None;
            head.Clear();
            return HeadChange.Gone;
        }
        if (last.Sequence == head.Sequence) return HeadChange.None;

        var change = HeadChange.Moved;
        if (nonce != 0)
        {
            var next = last.Nonce == nonce ? last : await gets.FindNextFreshAsync(place, head.Sequence + 1, cancellationToken);
            if (next?.Nonce == nonce) change = HeadChange.OwnStored;
            else if (next is null || next.FirstIndex > head.NextIndex) change = HeadChange.Lost;
        }
        var keyed = await FindKeyedAsync(head.Sequence, last, place, cancellationToken);
        // Indexes that went back belong to a new life of an erased stream.
        if (last.NextIndex < head.NextIndex) head.Clear();
        foreach (var record in keyed) head.ApplyKeys(record);
        head.Apply(last);
        if (last.TrimPoint > ChunkIndex.Zero) head.RemovedBytes = (await gets.FindNextAsync(place, 1, cancellationToken) ?? last).BytesBefore;
        return change;
    }

    /// <summary>The records with idempotency keys between the head and the last record, oldest first: a chain backwards, bounded like the table.</summary>
    private async Task<IEnumerable<LogRecord>> FindKeyedAsync(ulong known, LogRecord last, SubjectMap place, CancellationToken cancellationToken)
    {
        var limit = clock.GetUtcNow() - IdempotencyTable.Window - WaitBeforeAdmission;
        var found = new Stack<LogRecord>();
        var sequence = last.LastKeyedSequence;
        while (sequence > known && found.Count < IdempotencyTable.MaxKeys)
        {
            var record = await gets.FindAtAsync(place, sequence, cancellationToken);
            if (record is null || record.Time < limit) break;
            found.Push(record);
            sequence = record.LastKeyedSequence;
        }
        return found;
    }
}
