using System.Globalization;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Records;

/// <summary>Admits batches against a stream's head and packs those that fit into the next record.</summary>
/// <remarks>Belongs to one appender and is used for one record after the other. What is staged becomes the head by <see cref="CommitTo"/> only.</remarks>
internal sealed class RecordBuilder : IDisposable
{
    private readonly StagedRecord staged = new();
    private readonly RecordEncoder encoder = new();

    /// <summary>Whether there is anything to store.</summary>
    public bool IsEmpty => staged is { Chunks: 0, End: null, Trims: false };

    /// <summary>How many chunks the record will have.</summary>
    public int Chunks => staged.Chunks;

    public ChunkIndex NextIndex => staged.NextIndex;

    /// <summary>The timestamps of the first and the last chunk of the batch that was admitted last.</summary>
    public (long First, long Last) Timestamps => staged.Batches is [.., var batch] ? (batch.FirstTimestamp, batch.LastTimestamp) : default;

    /// <summary>The trim point after the record.</summary>
    public ChunkIndex TrimPoint => staged.State.TrimPoint;

    /// <summary>Starts a record on top of <paramref name="head"/>.</summary>
    public void Begin(StreamHead head) => staged.Begin(head);

    /// <summary>Whether a batch can still join the record.</summary>
    public bool HasRoomFor(ChunkBatch? batch) =>
        staged.End is null
        && (batch is null
            || staged.Chunks == 0
            || (staged.Chunks + batch.Count <= ChunkBatch.MaxCount
                && staged.Bytes + staged.ExtraBytes + batch.Length + StagedRecord.SizeOfExtras(batch) <= RecordLayout.SoftBytes));

    /// <summary>
    /// Admits a batch. Null: it is in the record now, its first new chunk under index <paramref name="first"/>, after
    /// <paramref name="duplicates"/> that had been stored before. Otherwise what it came to without being stored.
    /// </summary>
    public AppendOutcome? Admit(ChunkBatch batch, StreamLimits limits, DateTimeOffset admittedAt, out ChunkIndex first, out int duplicates)
    {
        first = NextIndex;
        duplicates = 0;
        if (batch.IdempotencyKey is { } key && FindKey(key, admittedAt) is { } known) return known;
        if (AdmitSequence(batch, out duplicates) is { } settled) return settled;
        if ((staged.End ?? staged.Head.End) is { } outcome) return Closed(outcome);
        if (FindMismatch(batch) is { } mismatch) return mismatch;

        var rule = new TimestampRule(admittedAt.ToUnixTimeMilliseconds(), staged.State.LastTimestamp);
        var (firstTimestamp, lastTimestamp) = rule.Ends(batch, duplicates);
        var fresh = new StagedBatch(batch, duplicates, rule, firstTimestamp, lastTimestamp);
        if (FindExcess(batch.Count - duplicates, fresh.Bytes, limits) is { } excess) return excess;

        staged.Add(fresh);
        staged.State = StateAfter(batch, first, duplicates, lastTimestamp);
        if (batch.Producer is { } producer)
            staged.Producers.Use(new ProducerState(producer, batch.Epoch, batch.FirstSequence + batch.Count - 1, NextIndex.Plus(-1)));
        return null;
    }

    /// <summary>Makes this the stream's last record.</summary>
    public void SetEnd(Outcome outcome, DateTimeOffset admittedAt)
    {
        if (staged.Chunks == 0) staged.Time = admittedAt.ToUnixTimeMilliseconds();
        staged.End = outcome;
    }

    /// <summary>Gives up what is before an index, whether or not the stream has ended. False when that has been given up before, or is not there.</summary>
    public bool TryTrim(ChunkIndex trimPoint)
    {
        if (trimPoint <= staged.State.TrimPoint || trimPoint > staged.Head.NextIndex) return false;
        if (staged is { Chunks: 0, End: null }) staged.Time = staged.Head.LastAppendAt.ToUnixTimeMilliseconds(); // It is no append.
        staged.End ??= staged.Head.End; // Told again: nobody reads what is before the last record.
        staged.State = staged.State with { TrimPoint = trimPoint };
        staged.Trims = true;
        return true;
    }

    /// <summary>The record's bytes, valid until the next <see cref="Begin"/>.</summary>
    /// <param name="nonce">Tells this record from any other.</param>
    /// <param name="address">The full address, when the subject holds a digest.</param>
    public ReadOnlyMemory<byte> Finish(ulong nonce, string? address) => encoder.Encode(staged, nonce, address);

    /// <summary>Makes the staged record part of the head, once the broker has stored it.</summary>
    /// <param name="target">The head that the record was begun on.</param>
    /// <param name="sequence">The JetStream sequence that it got.</param>
    public void CommitTo(StreamHead target, ulong sequence)
    {
        var stored = DateTimeOffset.FromUnixTimeMilliseconds(staged.Time); // As the record has it.
        foreach (var key in staged.Keys)
            target.Keys.Add(key.Key, new IdempotencyTable.Entry(staged.Head.NextIndex.Plus(key.FirstChunk), key.Count, stored, key.FirstTimestamp, key.LastTimestamp));
        target.Advance(sequence, NextIndex, staged.TotalBytes, staged.End, staged.LastAdmittedAt, staged.State, staged.Producers, hasKeys: staged.Keys.Count > 0);
    }

    /// <summary>Gives the memory back until the next record: thousands of idle appenders would each keep the size of their largest.</summary>
    public void Release()
    {
        encoder.Release();
        staged.Batches.Clear();
    }

    public void Dispose() => Release();

    internal static AppendOutcome.Refused Closed(Outcome outcome) =>
        outcome == Outcome.Abandoned
            ? Refused(ErrorCode.StreamClosed, $"The stream has ended as abandoned: nobody wrote to it for longer than its writers' lease.")
            : Refused(ErrorCode.StreamClosed, $"The stream has ended as {outcome.ToWord()}.");

    private static AppendOutcome.Refused Refused(ErrorCode code, FormattableString detail, long? expectedSequence = null) =>
        new(new Refusal(code, detail.ToString(CultureInfo.InvariantCulture)), expectedSequence);

    private AppendOutcome.Stored? FindKey(string key, DateTimeOffset now)
    {
        var head = staged.Head;
        head.Keys.Forget(now - IdempotencyTable.Window);
        if (head.Keys.TryFind(key, out var known)) return Known(known.First, known.Count, known.FirstTimestamp, known.LastTimestamp);
        foreach (var one in staged.Keys)
            if (one.Key == key) return Known(head.NextIndex.Plus(one.FirstChunk), one.Count, one.FirstTimestamp, one.LastTimestamp);
        return null;

        static AppendOutcome.Stored Known(ChunkIndex first, int count, long firstTimestamp, long lastTimestamp) =>
            new(first, first.Plus(count), 0, count, null, firstTimestamp, lastTimestamp);
    }

    private AppendOutcome? AdmitSequence(ChunkBatch batch, out int duplicates)
    {
        duplicates = 0;
        if (batch.Producer is not { } producer) return null;
        var known = staged.Producers.TryFind(producer, out var state);
        if (known && batch.Epoch < state.Epoch)
            return Refused(ErrorCode.Fenced, $"The producer {producer} writes with epoch {state.Epoch} now; this request has epoch {batch.Epoch}.");

        var expected = known && batch.Epoch == state.Epoch ? state.LastSequence + 1 : 0;
        if (batch.FirstSequence > expected)
        {
            if (known) return Refused(ErrorCode.SequenceGap, $"The next chunk of producer {producer} must have sequence {expected}, not {batch.FirstSequence}.", expected);
            return staged.Head.Sequence == 0
                ? Refused(ErrorCode.StreamGone, $"Nothing is stored of this stream, so that producer {producer} cannot continue it at sequence {batch.FirstSequence}.")
                : Refused(ErrorCode.SequenceGap, $"The producer {producer} is not among the last {RecordLayout.MaxProducers} of this stream; a new producer starts at sequence 0, not {batch.FirstSequence}.", 0);
        }

        duplicates = (int)Math.Min(batch.Count, expected - batch.FirstSequence);
        if (duplicates < batch.Count) return null;
        // The place of the last chunk alone is remembered.
        var isLast = batch.FirstSequence + batch.Count == expected;
        ChunkIndex? first = isLast && batch.Count == 1 ? state.LastIndex : null;
        return new AppendOutcome.Stored(first, state.LastIndex.Next, 0, duplicates, expected);
    }

    /// <summary>What the batch expects of the stream and does not find; null: nothing.</summary>
    public AppendOutcome.Refused? FindMismatch(ChunkBatch batch)
    {
        if (batch.FencingToken is { } token && token != staged.State.FencingToken)
        {
            var refused = Refused(ErrorCode.FencingTokenMismatch, $"The stream has another fencing token than the request.");
            return refused with { ExpectedFencingToken = staged.State.FencingToken };
        }
        return batch.ExpectedIndex is { } expected && expected != NextIndex.Value
            ? Refused(ErrorCode.IndexMismatch, $"The stream's next index is {NextIndex}, not {expected}.") with { ExpectedIndex = NextIndex.Value }
            : null;
    }

    private AppendOutcome.Refused? FindExcess(int fresh, int freshBytes, StreamLimits limits)
    {
        if (NextIndex.Value + fresh > limits.MaxChunks)
            return Refused(ErrorCode.LimitReached, $"The stream holds {NextIndex} chunks; with {fresh} more it would exceed its limit of {limits.MaxChunks} chunks.");
        if (freshBytes > limits.RunBytesLeft)
            return Refused(
                ErrorCode.LimitReached,
                $"The run has stored {limits.MaxRunBytes - limits.RunBytesLeft} bytes; with {freshBytes} more it would exceed its limit of {limits.MaxRunBytes} bytes.");
        // What was removed after a trim makes room. Loading the head tells how much, and a refusal is decided by a head that was just loaded.
        var held = staged.TotalBytes - staged.Head.RemovedBytes;
        return held + freshBytes > limits.MaxBytes
            ? Refused(ErrorCode.StreamFull, $"The stream holds {held} bytes; with {freshBytes} more it would exceed its limit of {limits.MaxBytes} bytes.")
            : null;
    }

    /// <summary>The stream's state after a batch: a trim point never moves back, nor behind the chunk that sets it.</summary>
    private StreamState StateAfter(ChunkBatch batch, ChunkIndex first, int duplicates, long lastTimestamp)
    {
        var trimPoint = staged.State.TrimPoint;
        if (batch.Trim is { } trim && trim.Position >= duplicates)
        {
            var asked = Math.Min(trim.Index, first.Value + trim.Position - duplicates + 1);
            if (asked > trimPoint.Value) trimPoint = new ChunkIndex(asked);
        }
        return new StreamState(trimPoint, lastTimestamp, batch.NewFencingToken ?? staged.State.FencingToken);
    }
}
