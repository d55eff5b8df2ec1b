using System.Text;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Read.Tests;

/// <summary>Reads of streams whose writers gave up some of their chunks.</summary>
public sealed class TrimmedReadTests(ReadFixture fixture) : IClassFixture<ReadFixture>
{
    private ReadNode Node => fixture.Node;

    [Fact]
    public async Task A_reader_inside_a_record_is_told_at_its_next_step_and_goes_on_at_the_trim_point_exactly()
    {
        await using var other = await ReadNode.StartAsync(fixture.Broker.Url);
        var stream = await other.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 10);
        await Node.AppendAsync(stream, 10, 10);
        await using var read = await other.OpenAsync(stream, 3);
        var steps = new Steps(read);
        await steps.TakeAsync();
        steps.AssertChunks(3, 7);

        await TrimAsync(stream, 14);
        await Until.TrueAsync(() => "The other node did not learn of the record.", () => read.NextIndex.Value == 21);
        Assert.Equal(new ReadStep(ReadStepKind.Trimmed, new ChunkIndex(14)), await steps.TakeAsync());
        await steps.UntilAsync(ReadStepKind.CaughtUp);
        Assert.Equal(Enumerable.Range(14, 7).Select(i => (long)i), steps.Chunks.Skip(7).Select(chunk => chunk.Index));
    }

    [Theory]
    [InlineData(0, true, 14)]
    [InlineData(13, true, 14)]
    [InlineData(14, false, 14)]
    [InlineData(17, false, 17)]
    [InlineData(-2, false, 19)]
    [InlineData(-15, false, 14)]
    public async Task A_new_reader_starts_at_the_trim_point_or_behind_it(long startIndex, bool isTold, long first)
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 10);
        await Node.AppendAsync(stream, 10, 10);
        await TrimAsync(stream, 14);
        await using var read = await Node.OpenAsync(stream, startIndex);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        Assert.Equal(isTold ? ["trimmed to 14", "CaughtUp"] : ["CaughtUp"], steps.Events);
        steps.AssertChunks(first, 21 - first);
    }

    [Fact]
    public async Task A_reader_far_behind_does_not_get_from_the_store_what_was_given_up()
    {
        var stream = await Node.NewStreamAsync();
        for (var i = 0; i < 30; i++) await Node.AppendAsync(stream, i * 10, 10, padding: 5_000); // More than the ring and one batch hold.
        await using var read = await Node.OpenAsync(stream);
        var steps = new Steps(read);
        await steps.TakeAsync();
        steps.AssertChunks(0, 10); // The rest of a batch of stored records is at hand now.
        await TrimAsync(stream, 25);
        await Until.TrueAsync(() => "The reader did not learn of the record.", () => read.NextIndex.Value == 301);
        await steps.UntilAsync(ReadStepKind.CaughtUp);
        Assert.Equal(["trimmed to 25", "CaughtUp"], steps.Events);
        Assert.Equal(Enumerable.Range(25, 276).Select(i => (long)i), steps.Chunks.Skip(10).Select(chunk => chunk.Index));
    }

    [Fact]
    public async Task A_stream_that_gave_up_all_it_had_ends_where_it_ended()
    {
        var stream = await Node.NewStreamAsync();
        await Node.AppendAsync(stream, 0, 5);
        await TrimAsync(stream, long.MaxValue);
        await Node.CloseAsync(stream);
        await using var read = await Node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.Ended);
        Assert.Equal(["trimmed to 6", "CaughtUp", "ended completed at 6"], steps.Events);
        Assert.Empty(steps.Chunks);
    }

    [Fact]
    public async Task Where_a_stream_stands_and_where_a_time_is_can_be_asked()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var stream = await Node.NewStreamAsync();
        Assert.Equal(default, await Node.Reads.FindTailAsync(stream, cancellation));
        Assert.Null(await Node.Reads.FindByTimestampAsync(stream, 0, cancellation));
        await using var read = await Node.OpenAsync(stream);
        Assert.Equal(0, read.LastTimestamp);

        await Node.AppendAsync(stream, 0, 5);
        await TrimAsync(stream, 2, timestamp: 7); // Raised to the last one's.
        await Node.CloseAsync(stream, Outcome.Failed);
        var (first, next, last, end) = await Node.Reads.FindTailAsync(stream, cancellation);
        Assert.Equal((2L, 6L, Outcome.Failed), (first.Value, next.Value, end));
        Assert.Equal(2, (await Node.Reads.FindByTimestampAsync(stream, 0, cancellation))?.Value);
        Assert.Equal(2, (await Node.Reads.FindByTimestampAsync(stream, last, cancellation))?.Value);
        Assert.Null(await Node.Reads.FindByTimestampAsync(stream, last + 1, cancellation));
        await new Steps(read).UntilAsync(ReadStepKind.Ended);
        Assert.Equal(last, read.LastTimestamp);
    }

    /// <summary>Appends a chunk, its own index, that gives up what is before an index.</summary>
    private async Task TrimAsync(StreamAddress stream, long index, long? timestamp = null)
    {
        var batch = new ChunkBatch { Trim = (index, 0) };
        var next = (await Node.Reads.FindTailAsync(stream, TestContext.Current.CancellationToken)).Next.Value;
        batch.Add(Encoding.UTF8.GetBytes(ReadNode.TextOf(next)), ChunkForm.Json, timestamp: timestamp);
        Assert.IsType<AppendOutcome.Stored>(
            await Node.Log.AppendAsync(stream, batch, new StreamLimits(long.MaxValue, long.MaxValue), TestContext.Current.CancellationToken));
    }
}
