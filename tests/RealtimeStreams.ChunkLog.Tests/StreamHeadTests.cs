using CsCheck;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.ChunkLog.Tests.Histories;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class StreamHeadTests(ITestOutputHelper output)
{
    [Fact]
    public void The_writers_own_notes_are_the_fold_of_what_it_stored() => AnyHistory.OfFewProducers.Sample(
        history =>
        {
            using var writer = RecordWriter.Write(history);
            Same(writer, Fold(writer.Parse()), writer.Head);
        },
        output.WriteLine,
        iter: 500 * Sweep.Rounds);

    [Fact]
    public void Folding_any_split_of_a_history_gives_the_same_head() => Gen.Select(AnyHistory.OfFewProducers, Gen.Int[0, 1000], Gen.Int[0, 1000]).Sample(
        (history, one, other) =>
        {
            using var writer = RecordWriter.Write(history);
            var records = writer.Parse();
            var split = records.Count == 0 ? 0 : one % (records.Count + 1);
            var head = Fold(records.Take(split));
            Catch(head, records, writer.Now);
            Same(writer, Fold(records), head);
            // And in two jumps.
            head = Fold(records.Take(Math.Min(split, other)));
            Catch(head, [.. records.Take(Math.Max(split, Math.Min(other, records.Count)))], writer.Now);
            Catch(head, records, writer.Now);
            Same(writer, Fold(records), head);
        },
        output.WriteLine,
        iter: 500 * Sweep.Rounds);

    [Fact]
    public void The_last_record_and_the_chain_of_its_keys_alone_restore_a_head_also_of_many_producers() => AnyHistory.OfManyProducers.Sample(
        history =>
        {
            using var writer = RecordWriter.Write(history);
            var records = writer.Parse();
            var head = new StreamHead();
            Catch(head, records, writer.Now);
            Same(writer, Fold(records), head);
        },
        output.WriteLine,
        iter: 50 * Sweep.Rounds);

    private static StreamHead Fold(IEnumerable<LogRecord> records)
    {
        var head = new StreamHead();
        foreach (var record in records) head.Apply(record);
        return head;
    }

    /// <summary>Brings a head up to date as a node does that was away: only the last record, and the keyed ones that lead to it.</summary>
    private static void Catch(StreamHead head, List<LogRecord> records, DateTimeOffset now)
    {
        if (records.Count == 0 || records[^1].Sequence == head.Sequence) return;
        var last = records[^1];
        var keyed = new Stack<LogRecord>();
        for (var sequence = last.LastKeyedSequence; sequence > head.Sequence;)
        {
            var record = records.Single(one => one.Sequence == sequence);
            if (record.Time < now - IdempotencyTable.Window) break;
            keyed.Push(record);
            sequence = record.LastKeyedSequence;
        }
        foreach (var record in keyed) head.ApplyKeys(record);
        head.Apply(last);
    }

    private static void Same(RecordWriter writer, StreamHead expected, StreamHead actual)
    {
        Assert.Equal(expected.Sequence, actual.Sequence);
        Assert.Equal(writer.Model.Chunks.Count, actual.NextIndex.Value);
        Assert.Equal(expected.NextIndex, actual.NextIndex);
        Assert.Equal(writer.Model.Bytes, actual.TotalBytes);
        Assert.Equal(expected.TotalBytes, actual.TotalBytes);
        Assert.Equal(writer.Model.End, actual.End);
        Assert.Equal(expected.Producers.Entries, actual.Producers.Entries);
        Assert.Equal(expected.LastAppendAt, actual.LastAppendAt);
        Assert.Equal(new StreamState(new Protocol.ChunkIndex(writer.Model.TrimPoint), writer.Model.LastTimestamp, writer.Model.Token), actual.State);
        Assert.Equal(expected.LastKeyedSequence, actual.LastKeyedSequence);
        expected.Keys.Forget(writer.Now - IdempotencyTable.Window);
        actual.Keys.Forget(writer.Now - IdempotencyTable.Window);
        Assert.Equal(expected.Keys.Count, actual.Keys.Count);
        foreach (var key in writer.Model.LiveKeys(writer.Now))
        {
            Assert.True(expected.Keys.TryFind(key, out var one), $"The fold has forgotten {key}.");
            Assert.True(actual.Keys.TryFind(key, out var other), $"The head has forgotten {key}.");
            Assert.Equal(one, other);
        }
    }
}
