namespace RealtimeStreams.ChunkLog.Records;

/// <summary>What timestamps a batch's chunks get: their own, no later than their arrival unless that is allowed, and none before the stream's last.</summary>
/// <param name="Arrival">When the batch was admitted, Unix milliseconds.</param>
/// <param name="Before">The timestamp of the stream's last chunk before the batch.</param>
internal readonly record struct TimestampRule(long Arrival, long Before)
{
    /// <summary>The timestamp of all chunks that have none of their own, if none of the batch has.</summary>
    public long Common => Math.Max(Arrival, Before);

    /// <summary>The timestamp of a chunk.</summary>
    /// <param name="batch">Its batch.</param>
    /// <param name="position">Its position.</param>
    /// <param name="last">The timestamp of the chunk before it.</param>
    public long Next(ChunkBatch batch, int position, long last)
    {
        if (batch.Timestamps.IsEmpty) return Common;
        var own = batch.Timestamps[position];
        if (own == ChunkBatch.NoTimestamp || (own > Arrival && !batch.UncappedTimestamps)) own = Arrival;
        return Math.Max(own, last);
    }

    /// <summary>The timestamps of a batch's first and last chunk.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="skip">How many of its chunks were stored before.</param>
    public (long First, long Last) Ends(ChunkBatch batch, int skip)
    {
        if (batch.Timestamps.IsEmpty) return (Common, Common);
        var first = Next(batch, skip, Before);
        var last = first;
        for (var i = skip + 1; i < batch.Count; i++) last = Next(batch, i, last);
        return (first, last);
    }
}
