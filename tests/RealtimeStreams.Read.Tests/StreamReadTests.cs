using System.Diagnostics;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Read.Tests;

public sealed class StreamReadTests(ReadFixture fixture) : IClassFixture<ReadFixture>
{
    private ReadNode Node => fixture.Node;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4, 4)]
    [InlineData(9, 9)]
    [InlineData(10, 10)]
    [InlineData(-1, 9)]
    [InlineData(-10, 0)]
    [InlineData(-11, 0)]
    [InlineData(long.MinValue, 0)]
    public async Task A_read_starts_where_it_is_told_also_counted_from_the_end(long startIndex, int first)
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 3);
        await Node.AppendAsync(stream, 3, 1);
        await Node.AppendAsync(stream, 4, 6);
        await using var read = await Node.OpenAsync(stream, startIndex);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        steps.AssertChunks(first, 10 - first);
        await Node.AppendAsync(stream, 10, 2);
        await Node.CloseAsync(stream, Outcome.Failed);
        await steps.UntilAsync(ReadStepKind.Ended);
        steps.AssertChunks(first, 12 - first);
        Assert.Equal(["CaughtUp", "ended failed at 12"], steps.Events);
        Assert.Equal(ReadStepKind.Ended, (await steps.TakeAsync()).Kind); // It stays the last.
    }

    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    public async Task A_read_beyond_the_end_waits_for_its_index(long startIndex)
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 10);
        await using var read = await Node.OpenAsync(stream, startIndex);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        await Node.AppendAsync(stream, 10, 5);
        Assert.Equal(ReadStepKind.Idle, (await steps.TakeAsync(TimeSpan.FromMilliseconds(1))).Kind);
        await Node.AppendAsync(stream, 15, 10);
        await Node.CloseAsync(stream);
        await steps.UntilAsync(ReadStepKind.Ended);
        steps.AssertChunks(startIndex, 25 - startIndex);
    }

    [Fact]
    public async Task A_read_beyond_the_end_of_an_ended_stream_ends_at_once()
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 1);
        await Node.CloseAsync(stream, Outcome.Cancelled);
        await using var read = await Node.OpenAsync(stream, long.MaxValue);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.Ended);
        Assert.Equal(["CaughtUp", "ended cancelled at 1"], steps.Events);
    }

    [Fact]
    public async Task Reads_that_start_anywhere_while_chunks_stream_in_see_all_of_them_once()
    {
        const int Records = 1500;
        var stream = await Node.NewStreamAsync();
        var random = new Random(4711);
        var sizes = Enumerable.Range(0, Records).Select(_ => random.Next(1, 40)).ToArray();
        var total = sizes.Sum();
        var writing = Task.Run(async () =>
        {
            var first = 0;
            foreach (var size in sizes)
            {
                await Node.AppendAsync(stream, first, size, padding: 100);
                first += size;
            }
            await Node.CloseAsync(stream);
        }, TestContext.Current.CancellationToken);
        var reading = Enumerable.Range(0, 8).Select(async number =>
        {
            var startIndex = number * total / 10;
            await using var read = await Node.OpenAsync(stream, startIndex);
            var steps = await new Steps(read).UntilAsync(ReadStepKind.Ended);
            steps.AssertChunks(startIndex, total - startIndex);
            Assert.Single(steps.Events, "CaughtUp");
        }).ToList();
        await writing;
        await Task.WhenAll(reading);
    }

    [Fact]
    public async Task A_reader_that_falls_behind_the_ring_comes_back_through_the_store_and_misses_nothing()
    {
        var stream = await Node.NewStreamAsync();
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        var written = 0;
        for (var round = 0; round < 4; round++)
        {
            // 1.2 MB, several rings, while the reader does nothing; then a few records at a time.
            for (var i = 0; i < 20; i++, written += 30) await Node.AppendAsync(stream, written, 30, padding: 2000);
            await steps.UntilAsync(written - 100);
        }
        await Node.CloseAsync(stream);
        await steps.UntilAsync(ReadStepKind.Ended);
        steps.AssertChunks(0, written);
    }

    [Fact]
    public async Task What_was_removed_before_the_cursor_is_told_with_the_first_index_that_is_left()
    {
        var stream = await Node.NewStreamAsync();
        for (var i = 0; i < 10; i++) await Node.AppendAsync(stream, i * 3, 3);
        await TrimAsync(stream, keep: 4);
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        steps.AssertChunks(18, 12);
        Assert.Equal(["trimmed to 18", "CaughtUp"], steps.Events);

        await using var inside = await Node.OpenAsync(stream, 20);
        (await new Steps(inside).UntilAsync(ReadStepKind.CaughtUp)).AssertChunks(20, 10);
    }

    [Fact]
    public async Task A_reader_under_which_chunks_are_removed_is_told_and_goes_on_behind_them()
    {
        var stream = await Node.NewStreamAsync();
        // More than a batch of stored records, so that the rest is not at hand yet.
        for (var i = 0; i < 12; i++) await Node.AppendAsync(stream, i * 10, 10, padding: 6000);
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(10);
        await TrimAsync(stream, keep: 2);
        await steps.UntilAsync(ReadStepKind.CaughtUp);
        Assert.Equal(["trimmed to 100", "CaughtUp"], steps.Events);
        Assert.Equal((119L, "119"), steps.Chunks[^1]);
    }

    [Fact]
    public async Task A_stream_of_which_only_the_end_is_left_is_trimmed_and_ended()
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 5);
        await Node.CloseAsync(stream);
        await TrimAsync(stream, keep: 1);
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.Ended);
        Assert.Empty(steps.Chunks);
        Assert.Equal(["trimmed to 5", "CaughtUp", "ended completed at 5"], steps.Events);
    }

    [Fact]
    public async Task An_erased_stream_ends_its_readers()
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 5);
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        await Node.Log.EraseAsync(stream.Environment, stream.Run, TestContext.Current.CancellationToken);
        await steps.UntilAsync(ReadStepKind.Erased);
        steps.AssertChunks(0, 5);
    }

    [Fact]
    public async Task Without_data_for_the_time_given_a_step_is_idle_and_the_read_goes_on()
    {
        var stream = await Node.NewStreamAsync();
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        Assert.Equal(ReadStepKind.Idle, (await steps.TakeAsync(TimeSpan.Zero)).Kind);
        Assert.Equal(ReadStepKind.Idle, (await steps.TakeAsync(TimeSpan.FromMilliseconds(10))).Kind);
        await Node.AppendAsync(stream, 0, 1);
        await steps.UntilAsync(1);
        using var cancel = new CancellationTokenSource();
        var waiting = read.NextAsync(TimeSpan.FromMinutes(1), cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Node.AppendAsync(stream, 1, 1);
        await steps.UntilAsync(2);
    }

    [Fact]
    public async Task An_unknown_run_and_a_stream_that_an_ended_run_never_had_are_refused()
    {
        var stream = await Node.NewStreamAsync();
        var refused = await Node.Reads.OpenAsync(stream with { Run = RunId.Parse("nobody") }, 0, TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.RunNotFound, Assert.IsType<ReadOpening.Refused>(refused).Refusal.Code);
        await Node.Registry.CompleteAsync(stream.Environment, stream.Run, Outcome.Completed, null, TestContext.Current.CancellationToken);
        refused = await Node.Reads.OpenAsync(stream, 0, TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.StreamNotFound, Assert.IsType<ReadOpening.Refused>(refused).Refusal.Code);
    }

    [Fact]
    public async Task A_thousand_readers_of_one_stream_all_get_everything()
    {
        const int Readers = 1000, Chunks = 100;
        var stream = await Node.NewStreamAsync();
        var reading = await Task.WhenAll(Enumerable.Range(0, Readers).Select(async _ =>
        {
            var read = await Node.OpenAsync(stream);
            return (Read: read, All: new Steps(read).UntilAsync(ReadStepKind.Ended));
        }));
        for (var i = 0; i < Chunks; i++) await Node.AppendAsync(stream, i, 1);
        await Node.CloseAsync(stream);
        foreach (var (read, all) in reading)
        {
            (await all).AssertChunks(0, Chunks);
            await read.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_live_reader_is_served_from_memory_the_store_is_not_asked()
    {
        var stream = await Node.NewStreamAsync();
        var catchUps = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ReadTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("realtimestreams.run") as string == stream.Run.Value) Interlocked.Increment(ref catchUps);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        for (var i = 0; i < 50; i++)
        {
            var step = steps.TakeAsync(); // It waits already when the chunk comes.
            await Node.AppendAsync(stream, i, 1);
            Assert.Equal(ReadStepKind.Chunks, (await step).Kind);
        }
        Assert.Equal(0, catchUps);
    }

    [Fact]
    public async Task A_step_from_the_ring_allocates_nothing()
    {
        const int Records = 400;
        var stream = await Node.NewStreamAsync();
        await using var read = await Node.OpenAsync(stream);
        await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        for (var i = 0; i < Records; i++) await Node.AppendAsync(stream, i, 1);
        await Testing.Until.TrueAsync(() => $"Only {read.NextIndex} of {Records} chunks came.", () => read.NextIndex.Value == Records);
        Take(Records / 2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Take(Records / 2);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Take(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var step = read.NextAsync(TimeSpan.FromMinutes(1), CancellationToken.None);
                if (!step.IsCompletedSuccessfully || step.Result.Kind != ReadStepKind.Chunks) Assert.Fail("The step was not at hand.");
            }
        }
    }

    /// <summary>Removes the oldest records of a stream, as an age limit does.</summary>
    private async Task TrimAsync(StreamAddress stream, ulong keep)
    {
        await using var connection = new NatsConnection(new NatsOpts { Url = fixture.Broker.Url });
        var context = new NatsJSContext(connection);
        for (var shard = 0; shard < 16; shard++)
            await context.PurgeStreamAsync(
                $"RS{shard:X2}", new StreamPurgeRequest { Filter = $"rs.*.{stream.Environment}.{stream.Run}.{stream.Key}", Keep = keep }, TestContext.Current.CancellationToken);
    }
}
