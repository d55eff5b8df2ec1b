using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Tests.Histories;

/// <summary>A chunk as the model knows it.</summary>
internal sealed record ModelChunk(byte[] Bytes, ProducerId? Producer, DateTimeOffset Time);

/// <summary>What a stream must do, written as simply as it can be: a list of chunks, and a list of producers, the last used first.</summary>
internal sealed class StreamModel(StreamLimits limits)
{
    private const int MaxProducers = 64;
    private static readonly TimeSpan keyWindow = TimeSpan.FromMinutes(10);

    private readonly List<ProducerState> producers = [];
    private readonly Dictionary<string, (long First, int Count, DateTimeOffset Time)> keys = [];

    public List<ModelChunk> Chunks { get; } = [];

    public IReadOnlyList<ProducerState> Producers => producers;

    public Outcome? End { get; private set; }

    public long Bytes => Chunks.Sum(chunk => (long)chunk.Bytes.Length);

    public IEnumerable<string> LiveKeys(DateTimeOffset now) => keys.Where(key => key.Value.Time >= now - keyWindow).Select(key => key.Key);

    public ChunkBatch BatchOf(Step step)
    {
        var batch = new ChunkBatch { Producer = step.ProducerId, Epoch = step.Epoch, FirstSequence = SequenceOf(step), IdempotencyKey = step.IdempotencyKey };
        for (var i = 0; i < step.Sizes.Length; i++) batch.Add(ChunkOf(step, batch.FirstSequence + i, step.Sizes[i]));
        return batch;
    }

    /// <summary>What an append must come to. Takes it in.</summary>
    /// <param name="step">The step; see <see cref="BatchOf"/> for its batch.</param>
    /// <param name="now">When.</param>
    /// <param name="anythingStored">Whether the log has a record of the stream.</param>
    public string Append(Step step, DateTimeOffset now, bool anythingStored)
    {
        int count = step.Sizes.Length, duplicates = 0;
        if (step.IdempotencyKey is { } key && keys.TryGetValue(key, out var known) && known.Time >= now - keyWindow)
            return Stored(known.First, known.First + known.Count, 0, known.Count, null);

        var sequence = SequenceOf(step);
        if (step.ProducerId is { } id)
        {
            var at = producers.FindIndex(producer => producer.Id == id);
            if (at >= 0 && step.Epoch < producers[at].Epoch) return Refused(ErrorCode.Fenced);
            var expected = at >= 0 && producers[at].Epoch == step.Epoch ? producers[at].LastSequence + 1 : 0;
            if (sequence > expected)
                return at < 0 && !anythingStored ? Refused(ErrorCode.StreamGone) : Refused(ErrorCode.SequenceGap, expected);
            if (sequence + count <= expected)
                return Stored(
                    sequence + 1 == expected && count == 1 ? producers[at].LastIndex.Value : null, producers[at].LastIndex.Value + 1, 0, count, expected);
            duplicates = (int)(expected - sequence);
        }
        if (End is not null) return Refused(ErrorCode.StreamClosed);
        if (Chunks.Count + count - duplicates > limits.MaxChunks) return Refused(ErrorCode.LimitReached);
        if (Bytes + step.Sizes[duplicates..].Sum() > limits.MaxBytes) return Refused(ErrorCode.StreamFull);

        long first = Chunks.Count;
        for (var i = duplicates; i < count; i++) Chunks.Add(new ModelChunk(ChunkOf(step, sequence + i, step.Sizes[i]), step.ProducerId, now));
        if (step.ProducerId is { } writer)
        {
            producers.RemoveAll(producer => producer.Id == writer);
            producers.Insert(0, new ProducerState(writer, step.Epoch, sequence + count - 1, new ChunkIndex(Chunks.Count - 1)));
            if (producers.Count > MaxProducers) producers.RemoveAt(MaxProducers);
        }
        if (step.IdempotencyKey is { } fresh) keys[fresh] = (first, count - duplicates, DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()));
        return Stored(first, Chunks.Count, count - duplicates, duplicates, step.Producer < 0 ? null : sequence + count);
    }

    /// <summary>What ending the stream must come to, without chunks.</summary>
    public string Close(Outcome outcome)
    {
        if (End is { } earlier && earlier != outcome) return Refused(ErrorCode.StreamClosed);
        var again = End is not null;
        End = outcome;
        return $"closed {outcome} at {Chunks.Count}, {(again ? "again" : "now")}";
    }

    public static string Describe(AppendOutcome outcome) => outcome switch
    {
        AppendOutcome.Stored stored => Stored(stored.First?.Value, stored.Next.Value, stored.Added, stored.Duplicates, stored.NextSequence),
        AppendOutcome.Refused refused => Refused(refused.Refusal.Code, refused.ExpectedSequence),
        _ => throw new ArgumentException("There is no such outcome.", nameof(outcome)),
    };

    public static string Describe(CloseOutcome outcome) => outcome switch
    {
        CloseOutcome.Closed closed => $"closed {closed.Outcome} at {closed.Next}, {(closed.AlreadyClosed ? "again" : "now")}",
        CloseOutcome.Refused refused => Refused(refused.Refusal.Code),
        _ => throw new ArgumentException("There is no such outcome.", nameof(outcome)),
    };

    private long SequenceOf(Step step)
    {
        if (step.ProducerId is not { } id) return 0;
        var at = producers.FindIndex(producer => producer.Id == id && producer.Epoch == step.Epoch);
        return Math.Max(0, (at < 0 ? 0 : producers[at].LastSequence + 1) + step.Shift);
    }

    /// <summary>The same chunk for the same number of the same producer, as of a retry; its text names it, as far as it fits.</summary>
    private static byte[] ChunkOf(Step step, long sequence, int size)
    {
        var chunk = new byte[size];
        chunk.AsSpan().Fill((byte)'x');
        var name = Encoding.UTF8.GetBytes($"{step.Producer}.{step.Epoch}.{sequence}");
        name.AsSpan(0, Math.Min(size, name.Length)).CopyTo(chunk);
        return chunk;
    }

    private static string Stored(long? first, long next, int added, int duplicates, long? nextSequence) =>
        $"stored {first?.ToString() ?? "?"}..{next}, {added} new, {duplicates} duplicates, then {nextSequence}";

    private static string Refused(ErrorCode code, long? expected = null) => $"refused {code.Code} {expected}";
}
