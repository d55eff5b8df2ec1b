using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>What happens to a run while a body or a session is open on it counts for the next batch.</summary>
public sealed class LongWriterTests
{
    private static readonly ProducerPosition producer = new(ProducerId.Parse("p"), 0, 0);

    public static TheoryData<string, bool> Refusals => new()
    {
        { ErrorCode.RunNotFound.Code, false },
        { ErrorCode.RunNotFound.Code, true },
        { ErrorCode.RunCompleted.Code, false },
        { ErrorCode.RunCompleted.Code, true },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task What_was_confirmed_before_a_body_was_refused_is_told_and_nothing_more_is_stored_or_read(string code, bool numbered)
    {
        var node = new IngestNode();
        var refusal = new Refusal(code == ErrorCode.RunNotFound.Code ? ErrorCode.RunNotFound : ErrorCode.RunCompleted, "no more");
        node.Log.Wait = number =>
        {
            if (number == 1) node.Registry.Admission = new StreamAdmission.Refused(refusal);
            return Task.CompletedTask;
        };
        var body = new PiecewiseBody(null, "1\n"u8.ToArray(), "2\n"u8.ToArray(), "3\n"u8.ToArray(), "4\n"u8.ToArray());

        var outcome = await node.AppendAsync(BodyKind.Lines, body, numbered ? producer : null);

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal((refusal, 2), (refused.Refusal, refused.Receipt!.Stored));
        Assert.Equal(["1", "2"], node.Log.Chunks);
        Assert.Equal(3, body.Reads);
    }

    [Fact]
    public async Task What_is_in_flight_when_a_body_is_refused_is_waited_for_and_counted()
    {
        var node = new IngestNode();
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Log.Wait = number =>
        {
            if (number == 1) node.Registry.Admission = new StreamAdmission.Refused(new Refusal(ErrorCode.RunNotFound, "none"));
            return held.Task;
        };
        var large = new string('1', 100_000); // A record each, all of them at hand at once.

        var appending = node.AppendAsync(BodyKind.Lines, $"{large}\n{large}\n{large}\n", producer);
        Assert.False(appending.IsCompleted);
        held.SetResult();

        var refused = Assert.IsType<IngestOutcome.Refused>(await appending);
        Assert.Equal((ErrorCode.RunNotFound, 2), (refused.Refusal.Code, refused.Receipt!.Stored));
        Assert.Equal(2, node.Log.Batches.Count);
    }

    [Fact]
    public async Task A_refusal_by_the_log_that_came_first_is_the_one_that_is_told()
    {
        var node = new IngestNode();
        node.Log.Wait = _ =>
        {
            node.Registry.Admission = new StreamAdmission.Refused(new Refusal(ErrorCode.RunNotFound, "none"));
            return Task.CompletedTask;
        };
        node.Log.Answer = _ => new AppendOutcome.Refused(new Refusal(ErrorCode.StreamFull, "full"));
        var large = new string('1', 100_000);

        var outcome = await node.AppendAsync(BodyKind.Lines, $"{large}\n{large}\n", producer);

        Assert.Equal(ErrorCode.StreamFull, Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Code);
    }

    [Fact]
    public async Task A_body_that_outlasts_the_registry_is_told_to_send_the_rest_again()
    {
        var node = new IngestNode();
        node.Log.Wait = _ =>
        {
            node.Registry.Away = true;
            return Task.CompletedTask;
        };

        var outcome = await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, "1\n"u8.ToArray(), "2\n"u8.ToArray()), producer);

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal((ErrorCode.RegistryUnavailable, true, 1), (refused.Refusal.Code, refused.Refusal.Code.Retryable, refused.Receipt!.Stored));
        Assert.Equal(["1"], node.Log.Chunks);
    }

    [Fact]
    public async Task Each_batch_of_a_body_asks_with_the_yes_that_the_body_began_with()
    {
        var node = new IngestNode();
        var first = new StreamAdmission.Admitted(StreamsVersion.V2, null, DateTimeOffset.UnixEpoch);
        node.Registry.Admission = first;
        node.Log.Wait = _ =>
        {
            node.Registry.Admission = new StreamAdmission.Admitted(StreamsVersion.V2);
            return Task.CompletedTask;
        };

        await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, "1\n"u8.ToArray(), "2\n"u8.ToArray()), producer);

        Assert.Equal([first, first], node.Registry.AskedAgain);
    }

    [Fact]
    public async Task Batches_of_one_connection_stay_with_the_run_that_the_first_went_to()
    {
        var node = new IngestNode();
        var binding = new RunBinding();
        var first = new StreamAdmission.Admitted(StreamsVersion.V2, null, DateTimeOffset.UnixEpoch);
        node.Registry.Admission = new StreamAdmission.Refused(new Refusal(ErrorCode.RunNotFound, "not yet"));
        Assert.IsType<AppendOutcome.Refused>(await AppendAsync());
        node.Registry.Admission = first;

        Assert.IsType<AppendOutcome.Stored>(await AppendAsync());
        node.Registry.Admission = new StreamAdmission.Admitted(StreamsVersion.V2);
        Assert.IsType<AppendOutcome.Stored>(await AppendAsync());
        node.Registry.Admission = new StreamAdmission.Refused(new Refusal(ErrorCode.StreamGone, "another"));
        Assert.Equal(ErrorCode.StreamGone, Assert.IsType<AppendOutcome.Refused>(await AppendAsync()).Refusal.Code);

        Assert.Equal([first, first], node.Registry.AskedAgain);
        Assert.Equal(2, node.Log.Batches.Count);

        Task<AppendOutcome> AppendAsync()
        {
            var batch = new ChunkBatch(16);
            batch.Add("1"u8);
            return node.Appender.AppendAsync(IngestNode.Stream, batch, null, binding, TestContext.Current.CancellationToken);
        }
    }
}
