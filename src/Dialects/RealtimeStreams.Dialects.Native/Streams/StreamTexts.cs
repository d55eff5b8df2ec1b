using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Streams;

/// <summary>A run's streams as they are told: the registry knows which there are, the log what is in them.</summary>
internal sealed class StreamTexts(IRunRegistry registry, IChunkLog log)
{
    // Each stream is one request to the broker, about 0.3 ms.
    private const int Parallelism = 16;

    public async Task<IReadOnlyList<StreamInfo>> TellAsync(RunPath path, CancellationToken cancellationToken)
    {
        var rows = await registry.ListStreamsAsync(path.Environment, path.Run, cancellationToken);
        var streams = new StreamInfo[rows.Count];
        await Parallel.ForAsync(
            0,
            rows.Count,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var address = new StreamAddress(path.Environment, path.Run, rows[i].Key);
                streams[i] = Tell(rows[i], await log.FindAsync(address, token));
            });
        return streams;
    }

    public static string State(Outcome? end) => end is null ? "open" : "closed";

    private StreamInfo Tell(StreamRow row, StreamSummary? stored)
    {
        var end = stored?.End ?? row.Outcome;
        return new StreamInfo(
            row.Key.Value,
            stored?.FirstIndex.Value ?? 0,
            stored?.NextIndex.Value ?? 0,
            stored?.Bytes ?? 0,
            State(end),
            end,
            [.. (stored?.Producers ?? []).Select(Tell)],
            log.Durability.Name,
            row.CreatedAt,
            stored?.LastAppendAt)
        {
            Input = InputStreams.FindName(row.Key),
        };
    }

    private static ProducerInfo Tell(ProducerState producer) =>
        new(producer.Id.Value, producer.Epoch, producer.LastSequence, producer.LastIndex.Value);
}
