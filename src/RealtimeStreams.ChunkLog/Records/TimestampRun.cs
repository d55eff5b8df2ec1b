namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Chunks of a record whose timestamps are not the times of their admission.</summary>
/// <param name="First">The position of the first.</param>
/// <param name="Count">How many.</param>
/// <param name="Values">How many timestamps they have: one for all, or one each.</param>
internal readonly record struct TimestampRun(int First, int Count, int Values)
{
    public int Size => RecordLayout.ExtraBytes + Values * sizeof(long);
}
