using RealtimeStreams.ChunkLog.Records;

namespace RealtimeStreams.ChunkLog.Tests.Histories;

/// <summary>Writes a history as an appender does, without a broker: what <see cref="RecordBuilder"/> makes is the log.</summary>
internal sealed class RecordWriter : IDisposable
{
    private readonly RecordBuilder builder = new();
    private readonly List<ChunkBatch> batches = [];
    private readonly string? address;
    private bool begun;

    private RecordWriter(History history)
    {
        address = history.Address;
        Model = new StreamModel(history.Limits);
    }

    public StreamModel Model { get; }

    public StreamHead Head { get; } = new();

    /// <summary>The log: bodies and their sequences, which other streams share, so that they have gaps.</summary>
    public List<(byte[] Body, ulong Sequence)> Log { get; } = [];

    public DateTimeOffset Now { get; private set; } = new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero).AddTicks(1_234); // No clock gives whole milliseconds.

    /// <summary>Writes all of it, asserting that every step comes to what the model says.</summary>
    public static RecordWriter Write(History history)
    {
        var writer = new RecordWriter(history);
        foreach (var step in history.Steps) writer.Take(step, history.Limits);
        writer.Commit();
        return writer;
    }

    public List<LogRecord> Parse() => Log.ConvertAll(stored =>
    {
        Assert.True(LogRecord.TryParse(stored.Body, stored.Sequence, out var record, out var fault), fault);
        return record;
    });

    public void Dispose()
    {
        builder.Dispose();
        foreach (var batch in batches) batch.Dispose();
    }

    private void Take(Step step, StreamLimits limits)
    {
        if (step.NewRecord) Commit();
        Now += TimeSpan.FromMinutes(step.Minutes);
        if (step.End is { } outcome)
        {
            Commit(); // An end is always the last of its record; whether it may come is the appender's to say.
            if (Model.Close(outcome) is var close && Head.End is null && close.EndsWith("now", StringComparison.Ordinal))
            {
                Begin();
                builder.SetEnd(outcome, Now);
                Commit();
            }
            return;
        }
        var batch = Model.BatchOf(step);
        batches.Add(batch);
        Begin();
        if (!builder.HasRoomFor(batch))
        {
            Commit();
            Begin();
        }
        Assert.True(builder.HasRoomFor(batch), "An empty record has room for any batch.");
        var expected = Model.Append(step, Now, anythingStored: Log.Count > 0);
        var settled = builder.Admit(batch, limits, Now, out var first, out var duplicates);
        var outcomeOfStep = settled ?? new AppendOutcome.Stored(
            first, builder.NextIndex, batch.Count - duplicates, duplicates, batch.Producer is null ? null : batch.FirstSequence + batch.Count);
        Assert.Equal(expected, StreamModel.Describe(outcomeOfStep));
    }

    private void Begin()
    {
        if (begun) return;
        builder.Begin(Head);
        begun = true;
    }

    private void Commit()
    {
        if (!begun) return;
        begun = false;
        if (builder.IsEmpty) return;
        var sequence = Head.Sequence + 1 + ((ulong)Log.Count % 3);
        Log.Add((builder.Finish(nonce: (ulong)Log.Count + 1, address).ToArray(), sequence));
        builder.CommitTo(Head, sequence);
    }
}
