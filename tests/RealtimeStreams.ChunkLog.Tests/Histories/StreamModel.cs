using System.Buffers;
using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Tests.Histories;

/// <summary>A chunk as the model knows it.</summary>
internal sealed record ModelChunk(byte[] Bytes, ProducerId? Producer, DateTimeOffset Time, ChunkForm Form, byte[] Attributes, long Timestamp)
{
    public int Size => Bytes.Length + (Attributes.Length == 0 ? 0 : 4 + Attributes.Length);
}

/// <summary>What a stream must do, written as simply as it can be: a list of chunks, and a list of producers, the last used first.</summary>
internal sealed class StreamModel(StreamLimits limits)
{
    private const int MaxProducers = 64;
    private static readonly DateTimeOffset begin = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan keyWindow = TimeSpan.FromMinutes(10);

    private readonly List<ProducerState> producers = [];
    private readonly Dictionary<string, (long First, int Count, DateTimeOffset Time)> keys = [];

    public List<ModelChunk> Chunks { get; } = [];

    public IReadOnlyList<ProducerState> Producers => producers;

    public Outcome? End { get; private set; }

    public long Bytes => Chunks.Sum(chunk => (long)chunk.Size);

    public long TrimPoint { get; private set; }

    public string Token { get; private set; } = "";

    public long LastTimestamp => Chunks.Count == 0 ? 0 : Chunks[^1].Timestamp;

    public IEnumerable<string> LiveKeys(DateTimeOffset now) => keys.Where(key => key.Value.Time >= now - keyWindow).Select(key => key.Key);

    public ChunkBatch BatchOf(Step step)
    {
        var batch = new ChunkBatch { Producer = step.ProducerId, Epoch = step.Epoch, FirstSequence = SequenceOf(step), IdempotencyKey = step.IdempotencyKey };
        if (step.Special is { } special)
        {
            batch.ExpectedIndex = special.Index is { } shift ? Math.Max(0, Chunks.Count + shift) : null;
            batch.FencingToken = Special.TokenOf(special.Token);
            batch.NewFencingToken = Special.TokenOf(special.NewToken);
            batch.UncappedTimestamps = special.Uncapped;
            if (special.Trim is { } trim) batch.Trim = (Math.Max(0, Chunks.Count + trim), step.Sizes.Length / 2);
        }
        for (var i = 0; i < step.Sizes.Length; i++)
        {
            var (form, attributes, time) = KindOf(step, i);
            batch.Add(ChunkOf(step, batch.FirstSequence + i, step.Sizes[i]), form, attributes, time);
        }
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
        if (step.Special is { Token: >= 0 and var token } && Special.TokenOf(token) != Token) return Refused(ErrorCode.FencingTokenMismatch);
        if (step.Special?.Index is { } shift && Math.Max(0, Chunks.Count + shift) != Chunks.Count) return Refused(ErrorCode.IndexMismatch);
        if (Chunks.Count + count - duplicates > limits.MaxChunks) return Refused(ErrorCode.LimitReached);
        if (Bytes + Fresh(step, sequence, duplicates, now).Sum(chunk => (long)chunk.Size) > limits.MaxBytes) return Refused(ErrorCode.StreamFull);

        long first = Chunks.Count;
        Chunks.AddRange(Fresh(step, sequence, duplicates, now));
        if (step.Special?.Trim is { } trim && count / 2 >= duplicates)
            TrimPoint = Math.Max(TrimPoint, Math.Min(Math.Max(0, first + trim), first + (count / 2) - duplicates + 1));
        Token = Special.TokenOf(step.Special?.NewToken ?? -1) ?? Token;
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

    private List<ModelChunk> Fresh(Step step, long sequence, int duplicates, DateTimeOffset now)
    {
        var fresh = new List<ModelChunk>();
        var (last, arrival) = (LastTimestamp, now.ToUnixTimeMilliseconds());
        for (var i = duplicates; i < step.Sizes.Length; i++)
        {
            var (form, attributes, own) = KindOf(step, i);
            var time = own is null || (own > arrival && step.Special?.Uncapped != true) ? arrival : own.Value;
            last = Math.Max(last, time);
            fresh.Add(new ModelChunk(ChunkOf(step, sequence + i, step.Sizes[i]), step.ProducerId, now, form, attributes, last));
        }
        return fresh;
    }

    private static (ChunkForm Form, byte[] Attributes, long? Time) KindOf(Step step, int position)
    {
        if (step.Special is not { } special) return (ChunkForm.Json, [], null);
        long? time = special.Times.Length > 0 && special.Times[position % special.Times.Length] is var shift and not 0 ? begin.AddMilliseconds(shift).ToUnixTimeMilliseconds() : null;
        if (!special.Forms) return (ChunkForm.Json, [], time);
        var attributes = new ArrayBufferWriter<byte>();
        if (position % 3 == 1) ChunkAttributes.WritePartId(attributes, Encoding.UTF8.GetBytes($"part {position}"));
        if (position % 3 == 2) ChunkAttributes.WriteHeader(attributes, [], step.Producer > 0 ? "trim"u8 : default);
        return ((ChunkForm)(position % 4), attributes.WrittenSpan.ToArray(), time);
    }

    private static string Stored(long? first, long next, int added, int duplicates, long? nextSequence) =>
        $"stored {first?.ToString() ?? "?"}..{next}, {added} new, {duplicates} duplicates, then {nextSequence}";

    private static string Refused(ErrorCode code, long? expected = null) => $"refused {code.Code} {expected}";
}
