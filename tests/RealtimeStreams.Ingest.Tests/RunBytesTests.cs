using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>A run's bytes as they are counted and held to their limit on the way to the log.</summary>
public sealed class RunBytesTests
{
    private static readonly ProducerPosition Producer = new(ProducerId.Parse("p"), 0, 0);

    private readonly IngestNode node = new();
    private readonly RunUsage usage = new(IngestNode.Stream.Environment, IngestNode.Stream.Run, StreamsVersion.V2, 40, null);

    public RunBytesTests()
    {
        node.Registry.Admission = new StreamAdmission.Admitted(StreamsVersion.V2, usage);
        node.Limits.Value = new RunLimits(1000, null, null, null, MaxRunBytes: 100);
    }

    [Fact]
    public async Task The_log_is_told_what_is_left_to_the_run_and_what_is_stored_is_counted()
    {
        await node.AppendAsync(BodyKind.Value, "12345");
        await node.AppendAsync(BodyKind.Value, "123");

        Assert.Equal([60L, 55], node.Log.Limits.Select(limits => limits.RunBytesLeft));
        Assert.All(node.Log.Limits, limits => Assert.Equal(100, limits.MaxRunBytes));
        Assert.Equal((48, 48), (usage.Bytes, usage.Take(0)));
    }

    [Fact]
    public async Task Lines_that_are_on_their_way_are_counted_for_those_behind_them()
    {
        var gate = new TaskCompletionSource();
        node.Log.Wait = _ => gate.Task;
        var large = '"' + new string('x', 70_000) + '"'; // A batch of its own.
        node.Limits.Value = new RunLimits(long.MaxValue, null, null, null, MaxRunBytes: 1_000_000);

        var appending = node.AppendAsync(BodyKind.Lines, $"{large}\n{large}\n{large}\n", Producer);
        Assert.Equal([999_960L, 929_958, 859_956], node.Log.Limits.Select(limits => limits.RunBytesLeft));
        Assert.Equal((40, 40 + 3 * 70_002), (usage.Bytes, usage.Take(0)));
        gate.SetResult();
        await appending;

        Assert.Equal((40 + 3 * 70_002, 40 + 3 * 70_002), (usage.Bytes, usage.Take(0)));
    }

    [Fact]
    public async Task What_is_refused_or_was_stored_before_or_may_not_be_stored_is_not_counted()
    {
        AppendOutcome[] answers =
        [
            new AppendOutcome.Refused(new Refusal(ErrorCode.LimitReached, "no")),
            new AppendOutcome.Stored(new ChunkIndex(0), new ChunkIndex(1), 0, 1, 1),
            new AppendOutcome.Refused(new Refusal(ErrorCode.LogUnavailable with { MayHaveWritten = true }, "who knows")),
        ];
        node.Log.Answer = number => answers[number];

        foreach (var _ in answers) await node.AppendAsync(BodyKind.Value, "12345");

        Assert.Equal((40, 40), (usage.Bytes, usage.Take(0)));
    }

    [Fact]
    public async Task Whoever_does_not_wait_for_the_answer_is_counted_all_the_same()
    {
        node.Log.Wait = _ => Task.FromCanceled(new CancellationToken(canceled: true));

        Assert.IsType<IngestOutcome.Interrupted>(await TryAsync());

        Assert.Equal((45, 45), (usage.Bytes, usage.Take(0)));

        async Task<IngestOutcome> TryAsync()
        {
            try
            {
                return await node.AppendAsync(BodyKind.Value, "12345");
            }
            catch (OperationCanceledException exception)
            {
                return new IngestOutcome.Interrupted(null, exception);
            }
        }
    }

    [Fact]
    public async Task A_limit_that_is_set_while_a_body_is_open_ends_it()
    {
        node.Limits.Value = new RunLimits(1000, null, null, null);
        node.Log.Answer = number => node.Log.Limits[number].RunBytesLeft < 1 ? new AppendOutcome.Refused(new Refusal(ErrorCode.LimitReached, "no more")) : null;
        node.Log.Wait = _ =>
        {
            node.Limits.Value = new RunLimits(1000, null, null, null, MaxRunBytes: 41);
            return Task.CompletedTask;
        };

        var outcome = await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, "1\n"u8.ToArray(), "2\n"u8.ToArray(), "3\n"u8.ToArray()), Producer);

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal((ErrorCode.LimitReached, 1), (refused.Refusal.Code, refused.Receipt!.Stored));
        Assert.Equal([long.MaxValue, 0L], node.Log.Limits.Select(limits => limits.RunBytesLeft));
    }

    [Fact]
    public async Task A_final_chunk_is_counted_and_an_end_without_one_or_repeated_is_not()
    {
        await node.CloseAsync(Outcome.Completed, "123");
        await node.CloseAsync(Outcome.Completed);
        node.Log.AnswerClose = (_, outcome) => new CloseOutcome.Closed(new ChunkIndex(1), outcome, AlreadyClosed: true);
        await node.CloseAsync(Outcome.Completed, "123");

        Assert.Equal((43, 43), (usage.Bytes, usage.Take(0)));
    }

    [Fact]
    public async Task A_stream_outside_of_runs_has_no_such_limit()
    {
        node.Registry.Admission = new StreamAdmission.Admitted(StreamsVersion.V2);

        await node.AppendAsync(BodyKind.Value, "12345");

        Assert.Equal(new StreamLimits(1000, long.MaxValue), Assert.Single(node.Log.Limits));
    }
}
