using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Read.Following;

internal sealed class StreamReads(IChunkLog log, IRunRegistry registry, ReadTelemetry telemetry, TimeProvider clock) : IStreamReads
{
    public async Task<ReadOpening> OpenAsync(StreamAddress stream, long startIndex, CancellationToken cancellationToken)
    {
        if (await registry.FindBriefAsync(stream.Environment, stream.Run, cancellationToken) is not { } run)
            return Refused(ErrorCode.RunNotFound, $"This environment has no run '{stream.Run}'.");

        IStreamTail tail;
        try
        {
            tail = await log.OpenTailAsync(stream, cancellationToken); // First, or an append slips in between.
        }
        catch (LogUnavailableException exception)
        {
            return new ReadOpening.Refused(new Refusal(ErrorCode.LogUnavailable with { MayHaveWritten = false }, exception.Message));
        }
        if (run.Status != RunStatus.Open && tail.NextIndex == ChunkIndex.Zero && tail.End is null)
        {
            await tail.DisposeAsync();
            return Refused(ErrorCode.StreamNotFound, $"The run '{stream.Run}' has ended and never had a stream '{stream.Key}'. Check that writer and reader use the same key.");
        }
        var cursor = new ChunkIndex(startIndex >= 0 ? startIndex : Math.Max(tail.FirstIndex.Value, tail.NextIndex.Value + startIndex));
        return new ReadOpening.Opened(new StreamRead(stream, cursor, tail, log, registry, telemetry, clock), run);
    }

    public async Task<(ChunkIndex First, ChunkIndex Next, long LastTimestamp, Outcome? End)> FindTailAsync(StreamAddress stream, CancellationToken cancellationToken) =>
        await log.FindAsync(stream, cancellationToken) is { } stored ? (stored.FirstIndex, stored.NextIndex, stored.LastTimestamp, stored.End) : default;

    public Task<ChunkIndex?> FindByTimestampAsync(StreamAddress stream, long unixMilliseconds, CancellationToken cancellationToken) =>
        log.FindByTimestampAsync(stream, unixMilliseconds, cancellationToken);

    private static ReadOpening.Refused Refused(ErrorCode code, string detail) => new(new Refusal(code, detail));
}
