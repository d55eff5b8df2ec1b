using System.Text;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>A batch that the log was given, copied before it was given back.</summary>
internal sealed record RecordedBatch(IReadOnlyList<string> Chunks, ProducerId? Producer, uint Epoch, long FirstSequence, string? IdempotencyKey);

/// <summary>Keeps what it is given, in order. Says yes unless told otherwise.</summary>
internal sealed class RecordingLog : IChunkLog
{
    private readonly List<RecordedBatch> batches = [];
    private long next;

    public IReadOnlyList<RecordedBatch> Batches => batches;

    public IEnumerable<string> Chunks => batches.SelectMany(batch => batch.Chunks);

    /// <summary>The limits that each batch came with.</summary>
    public List<StreamLimits> Limits { get; } = [];

    public List<(StreamKey Key, Outcome Outcome, RecordedBatch? Last)> Closed { get; } = [];

    /// <summary>What to answer, by the number of the batch; null: stored.</summary>
    public Func<int, AppendOutcome?> Answer { get; set; } = _ => null;

    /// <summary>What the answers wait for, by the number of the batch.</summary>
    public Func<int, Task> Wait { get; set; } = _ => Task.CompletedTask;

    public Func<StreamAddress, Outcome, CloseOutcome?> AnswerClose { get; set; } = (_, _) => null;

    public StreamSummary? Summary { get; set; }

    public List<RunId> Erased { get; } = [];

    public DurabilityClass Durability => throw new NotSupportedException();

    public int MaxChunkBytes { get; init; } = 1024 * 1024;

    public async Task<AppendOutcome> AppendAsync(StreamAddress stream, ChunkBatch batch, StreamLimits limits, CancellationToken cancellationToken)
    {
        var number = batches.Count;
        var recorded = Record(batch);
        batches.Add(recorded);
        Limits.Add(limits);
        await Wait(number);
        if (Answer(number) is { } answer) return answer;
        var first = next;
        next += recorded.Chunks.Count;
        return new AppendOutcome.Stored(
            new ChunkIndex(first), new ChunkIndex(next), recorded.Chunks.Count, 0,
            recorded.Producer is null ? null : recorded.FirstSequence + recorded.Chunks.Count);
    }

    public Task<CloseOutcome> CloseAsync(
        StreamAddress stream, Outcome outcome, ChunkBatch? last, StreamLimits limits, CancellationToken cancellationToken)
    {
        lock (Closed) Closed.Add((stream.Key, outcome, last is null ? null : Record(last)));
        return Task.FromResult(AnswerClose(stream, outcome) ?? new CloseOutcome.Closed(new ChunkIndex(next), outcome, AlreadyClosed: false));
    }

    public Task<StreamExpiry?> ExpireAsync(StreamAddress stream, DateTimeOffset cutOff, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<StreamSummary?> FindAsync(StreamAddress stream, CancellationToken cancellationToken) => Task.FromResult(Summary);

    public Task<ChunkIndex?> FindByTimestampAsync(StreamAddress stream, long unixMilliseconds, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        Erased.Add(run);
        return Task.CompletedTask;
    }

    public ValueTask<IStreamTail> OpenTailAsync(StreamAddress stream, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<LogRecord>> ReadStoredAsync(
        StreamAddress stream, ChunkIndex cursor, LogRecord? after, CancellationToken cancellationToken) => throw new NotSupportedException();

    private static RecordedBatch Record(ChunkBatch batch)
    {
        var chunks = new List<string>();
        var start = 0;
        foreach (var end in batch.Ends)
        {
            chunks.Add(Encoding.UTF8.GetString(batch.Bytes[start..end]));
            start = end;
        }
        var recorded = new RecordedBatch(chunks, batch.Producer, batch.Epoch, batch.FirstSequence, batch.IdempotencyKey);
        batch.Dispose(); // The log owns what it is given.
        return recorded;
    }
}
