using System.Text;
using CsCheck;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Ingest.Appending;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

public sealed class LinesTests
{
    private static readonly ProducerPosition Producer = new(ProducerId.Parse("p"), 3, 100);

    private const string Body = "{\"a\":\"ü€😀\"}\n 1 \r\n\r\n\t\n[true,\tnull]\r\n\"last\"";
    private static readonly string[] Chunks = ["{\"a\":\"ü€😀\"}", "1", "[true,\tnull]", "\"last\""];

    [Fact]
    public async Task Each_line_that_is_not_blank_is_a_chunk()
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(BodyKind.Lines, Body);

        Assert.Equal(Chunks, node.Log.Chunks);
        Assert.Equal(new AppendReceipt(0, 4, 4, 0, null), Assert.IsType<IngestOutcome.Stored>(outcome).Receipt);
    }

    [Fact]
    public async Task It_does_not_matter_where_the_segments_of_a_read_are_split()
    {
        var bytes = Encoding.UTF8.GetBytes(Body);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                var node = new IngestNode();
                var sequence = Segment.Sequence(bytes.AsMemory(0, first), bytes.AsMemory(first, second - first), bytes.AsMemory(second));

                await node.AppendAsync(BodyKind.Lines, new PiecewiseBody([sequence]));

                Assert.Equal(Chunks, node.Log.Chunks);
            }
        }
    }

    [Fact]
    public async Task It_does_not_matter_where_the_reads_of_a_body_are_split()
    {
        var bytes = Encoding.UTF8.GetBytes(Body);
        for (var split = 0; split <= bytes.Length; split++)
        {
            var node = new IngestNode();

            await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, bytes[..split], bytes[split..]), Producer);

            Assert.Equal(Chunks, node.Log.Chunks);
            AssertSequences(node, Producer.Sequence);
        }
    }

    [Fact]
    public Task Any_lines_cut_anywhere_give_the_same_chunks() =>
        Gen.Select(Gen.OneOf(Gen.Const("1"), Gen.Const("{}"), Gen.Const(""), Gen.Const("  "), Gen.Const("\"long " + new string('x', 70_000) + '"')).List[0, 40], Gen.Int[1, 9999].List[0, 12])
            .SampleAsync(
                async (lines, cuts) =>
                {
                    var bytes = Encoding.UTF8.GetBytes(string.Join('\n', lines));
                    var pieces = new List<byte[]>();
                    var start = 0;
                    foreach (var cut in cuts.Select(cut => cut * 31 % (bytes.Length + 1)).Order())
                    {
                        pieces.Add(bytes[start..cut]);
                        start = cut;
                    }
                    pieces.Add(bytes[start..]);
                    var node = new IngestNode();

                    await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, [.. pieces]), Producer);

                    Assert.Equal(lines.Where(line => line.Trim().Length > 0), node.Log.Chunks);
                    AssertSequences(node, Producer.Sequence);
                },
                iter: 200);

    [Fact]
    public async Task Limits_that_change_while_a_body_is_open_count_for_its_next_batch()
    {
        var node = new IngestNode();
        node.Limits.Value = new RunLimits(100, null, null, null);
        node.Log.Wait = number =>
        {
            node.Limits.Value = new RunLimits(50, 7, null, null);
            return Task.CompletedTask;
        };

        await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, "1\n"u8.ToArray(), "2\n"u8.ToArray()), Producer);

        Assert.Equal([new StreamLimits(100, long.MaxValue), new StreamLimits(50, 7)], node.Log.Limits);
    }

    [Fact]
    public async Task A_byte_order_mark_before_the_first_line_is_no_part_of_it()
    {
        for (var split = 0; split <= 4; split++)
        {
            var node = new IngestNode();
            byte[] bytes = [0xEF, 0xBB, 0xBF, (byte)'1', (byte)'\n', (byte)'2'];

            await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, bytes[..split], bytes[split..]));

            Assert.Equal(["1", "2"], node.Log.Chunks);
        }
    }

    [Fact]
    public async Task A_bare_carriage_return_between_tokens_is_stored_as_a_space()
    {
        var node = new IngestNode();

        await node.AppendAsync(BodyKind.Lines, "[1,\r2]\n");

        Assert.Equal(["[1, 2]"], node.Log.Chunks);
    }

    [Theory]
    [InlineData("nonsense", "is not one JSON value")]
    [InlineData("{\"a\":1", "is not one JSON value")]
    [InlineData("1 2", "is not one JSON value")]
    [InlineData("{\"a\":1}{\"b\":2}", "is not one JSON value")]
    [InlineData("[1,]", "is not one JSON value")]
    [InlineData("// no", "is not one JSON value")]
    [InlineData("'a'", "is not one JSON value")]
    [InlineData("\"a\tb\"", "is not one JSON value")]
    [InlineData("NaN", "is not one JSON value")]
    public async Task A_line_that_is_not_one_json_value_is_refused_and_what_came_before_stays(string line, string text)
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(BodyKind.Lines, $"1\n\n2\n{line}\n3\n", Producer);

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal(ErrorCode.InvalidJson, refused.Refusal.Code);
        Assert.StartsWith($"Line 4 {text}", refused.Refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(new AppendReceipt(0, 2, 2, 0, 102), refused.Receipt);
        Assert.Equal(["1", "2"], node.Log.Chunks);
    }

    [Fact]
    public async Task Invalid_utf8_is_refused_also_inside_a_string()
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(BodyKind.Lines, [(byte)'1', (byte)'\n', (byte)'"', 0xC3, (byte)'"', (byte)'\n']);

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal(new Refusal(ErrorCode.InvalidJson, "Line 2 is not valid UTF-8."), refused.Refusal);
        Assert.Equal(["1"], node.Log.Chunks);
    }

    [Fact]
    public async Task A_chunk_may_be_64_levels_deep_and_no_more()
    {
        var node = new IngestNode();
        var fits = new string('[', 64) + new string(']', 64);

        var outcome = await node.AppendAsync(BodyKind.Lines, $"{fits}\n[{fits}]\n");

        Assert.StartsWith("Line 2 is not one JSON value", Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Detail, StringComparison.Ordinal);
        Assert.Equal([fits], node.Log.Chunks);
    }

    [Fact]
    public async Task A_line_of_exactly_the_limit_fits_whatever_white_space_ends_it()
    {
        var node = new IngestNode(maxChunkBytes: 100);
        var chunk = '"' + new string('x', 98) + '"';

        var outcome = await node.AppendAsync(BodyKind.Lines, $"  {chunk}  \r\n");

        Assert.IsType<IngestOutcome.Stored>(outcome);
        Assert.Equal([chunk], node.Log.Chunks);
    }

    [Fact]
    public async Task A_line_over_the_limit_is_refused_with_the_limit_and_its_size()
    {
        var node = new IngestNode(maxChunkBytes: 100);

        var outcome = await node.AppendAsync(BodyKind.Lines, $"1\n\"{new string('x', 99)}\"\n2\n");

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal(new Refusal(ErrorCode.ChunkTooLarge, "Line 2 has 101 bytes; a chunk may have at most 100."), refused.Refusal);
        Assert.Equal(["1"], node.Log.Chunks);
    }

    [Fact]
    public async Task A_line_over_the_limit_is_refused_before_it_ends()
    {
        var node = new IngestNode(maxChunkBytes: 1000);
        var body = new PiecewiseBody(null, [.. Enumerable.Repeat(Encoding.UTF8.GetBytes(new string('1', 100)), 100)]);

        var outcome = await node.AppendAsync(BodyKind.Lines, body);

        var refused = Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal(new Refusal(ErrorCode.ChunkTooLarge, "Line 1 has more than 1000 bytes; a chunk may have at most 1000."), refused.Refusal);
        Assert.Equal(11, body.Reads);
        Assert.Empty(node.Log.Batches);
    }

    [Fact]
    public async Task Of_a_body_that_is_cut_the_complete_lines_are_stored()
    {
        var bytes = Encoding.UTF8.GetBytes("1\n22\n333\n");
        int[] complete = [0, 0, 1, 1, 1, 2, 2, 2, 2, 3];
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var node = new IngestNode();
            var reset = new IOException("The connection was reset.");

            var outcome = await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(reset, bytes[..cut]), Producer);

            var interrupted = Assert.IsType<IngestOutcome.Interrupted>(outcome);
            Assert.Same(reset, interrupted.Cause);
            Assert.Equal(complete[cut], node.Log.Chunks.Count());
            Assert.Equal(complete[cut] == 0 ? null : 100 + complete[cut], interrupted.Receipt?.NextSequence);
        }
    }

    [Fact]
    public async Task Reading_that_is_cancelled_stores_what_was_read()
    {
        var node = new IngestNode();
        using var stop = new CancellationTokenSource();
        node.Log.Wait = _ => stop.CancelAsync();

        var outcome = await node.Appender.AppendAsync(
            IngestNode.Stream, new AppendRequest(BodyKind.Lines), new PiecewiseBody(null, "1\n2\n3"u8.ToArray(), "4\n"u8.ToArray()), stop.Token);

        Assert.Equal(new AppendReceipt(0, 2, 2, 0, null), Assert.IsType<IngestOutcome.Interrupted>(outcome).Receipt);
        Assert.Equal(["1", "2"], node.Log.Chunks);
    }

    [Fact]
    public async Task A_batch_ends_at_64_KiB_or_1024_chunks()
    {
        var node = new IngestNode();
        var large = '"' + new string('x', 998) + '"';

        await node.AppendAsync(BodyKind.Lines, string.Join('\n', Enumerable.Repeat(large, 100).Concat(Enumerable.Repeat("1", 3000))), Producer);

        Assert.Equal(3100, node.Log.Chunks.Count());
        Assert.All(node.Log.Batches, batch => Assert.InRange(batch.Chunks.Count, 1, 1024));
        Assert.All(node.Log.Batches, batch => Assert.InRange(batch.Chunks.Sum(chunk => chunk.Length), 1, 64 * 1024));
        Assert.Equal(65, node.Log.Batches[0].Chunks.Count);
        AssertSequences(node, Producer.Sequence);
    }

    [Fact]
    public async Task Without_a_producer_batches_are_stored_one_after_the_other()
    {
        var node = new IngestNode();
        var gate = new TaskCompletionSource();
        node.Log.Wait = _ => gate.Task;

        var append = node.AppendAsync(BodyKind.Lines, string.Join('\n', Enumerable.Repeat("1", 10_000)));
        Assert.Single(node.Log.Batches);
        gate.SetResult();

        Assert.IsType<IngestOutcome.Stored>(await append);
        Assert.Equal(10_000, node.Log.Chunks.Count());
    }

    [Fact]
    public async Task With_a_producer_four_batches_are_in_flight_and_then_the_body_is_not_read()
    {
        var node = new IngestNode();
        var gate = new TaskCompletionSource();
        node.Log.Wait = _ => gate.Task;

        var append = node.AppendAsync(BodyKind.Lines, string.Join('\n', Enumerable.Repeat("1", 10_000)), Producer);
        Assert.Equal(4, node.Log.Batches.Count);
        gate.SetResult();

        Assert.Equal(new AppendReceipt(0, 10_000, 10_000, 0, 10_100), Assert.IsType<IngestOutcome.Stored>(await append).Receipt);
    }

    [Fact]
    public async Task After_a_refusal_nothing_more_is_submitted_and_the_receipt_ends_before_it()
    {
        var node = new IngestNode();
        var gate = new TaskCompletionSource();
        node.Log.Wait = number => number == 1 ? gate.Task : Task.CompletedTask;
        node.Log.Answer = number => number == 0 ? null
            : new AppendOutcome.Refused(new Refusal(ErrorCode.SequenceGap, "gap"), number == 1 ? 1124 : 0);

        var append = node.AppendAsync(BodyKind.Lines, string.Join('\n', Enumerable.Repeat("1", 20_000)), Producer);
        gate.SetResult();

        var refused = Assert.IsType<IngestOutcome.Refused>(await append);
        Assert.Equal(1124, refused.ExpectedSequence);
        Assert.Equal(new AppendReceipt(0, 1024, 1024, 0, 1124), refused.Receipt);
        Assert.InRange(node.Log.Batches.Count, 2, 5);
    }

    [Fact]
    public async Task A_refusal_is_told_at_once_though_the_body_goes_on()
    {
        var node = new IngestNode();
        node.Log.Answer = _ => new AppendOutcome.Refused(new Refusal(ErrorCode.Fenced, "fenced"));
        var body = new PiecewiseBody(null, "1\n"u8.ToArray(), "2\n"u8.ToArray());

        var outcome = await node.AppendAsync(BodyKind.Lines, body, Producer);

        Assert.Equal(ErrorCode.Fenced, Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Code);
        Assert.Equal(1, body.Reads);
    }

    [Fact]
    public async Task Duplicates_are_summed_and_the_first_index_is_that_of_the_first_chunk_added()
    {
        var node = new IngestNode();
        node.Log.Answer = number => number == 0 ? new AppendOutcome.Stored(new ChunkIndex(7), new ChunkIndex(9), 0, 2, 102) : null;

        var outcome = await node.AppendAsync(BodyKind.Lines, new PiecewiseBody(null, "1\n2\n"u8.ToArray(), "3\n"u8.ToArray()), Producer);

        Assert.Equal(new AppendReceipt(0, 1, 1, 2, 103), Assert.IsType<IngestOutcome.Stored>(outcome).Receipt);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n \r\n\n")]
    public async Task A_body_without_lines_stores_nothing_and_tells_where_the_stream_is(string body)
    {
        var node = new IngestNode();
        node.Log.Summary = new StreamSummary(default, new ChunkIndex(5), 1, null, [], default, default);

        var outcome = await node.AppendAsync(BodyKind.Lines, body, Producer);

        Assert.Equal(new AppendReceipt(5, 5, 0, 0, 100), Assert.IsType<IngestOutcome.Stored>(outcome).Receipt);
        Assert.Empty(node.Log.Batches);
    }

    [Fact]
    public void Parsing_allocates_nothing_per_chunk()
    {
        var line = Encoding.UTF8.GetBytes("{\"step\":\"parse\",\"percent\":42,\"note\":\"sixty-four bytes or so\"}\n");
        byte[] few = [.. Enumerable.Repeat(line, 10).SelectMany(bytes => bytes)];
        byte[] many = [.. Enumerable.Repeat(line, 1000).SelectMany(bytes => bytes)];
        // The least of several, because a pool that was trimmed meanwhile allocates anew.
        Assert.Equal(Enumerable.Range(0, 20).Min(_ => Measure(few)), Enumerable.Range(0, 20).Min(_ => Measure(many)));

        long Measure(byte[] body)
        {
            var reader = new LineReader(1024 * 1024);
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var batch = new ChunkBatch(64 * 1024);
            reader.Take(new(body), batch);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(body.Length / line.Length, batch.Count);
            return allocated;
        }
    }

    private static void AssertSequences(IngestNode node, long first)
    {
        foreach (var batch in node.Log.Batches)
        {
            Assert.Equal(first, batch.FirstSequence);
            Assert.Equal(Producer.Id, batch.Producer);
            Assert.Equal(Producer.Epoch, batch.Epoch);
            first += batch.Chunks.Count;
        }
    }
}
