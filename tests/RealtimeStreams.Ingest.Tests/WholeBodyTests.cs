using System.Text;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Tests;

public sealed class WholeBodyTests
{
    [Theory]
    [InlineData("{\"a\":1}", "{\"a\":1}")]
    [InlineData(" \r\n 1.50e3 \t", "1.50e3")]
    [InlineData("{\r\n  \"a\": [\n1,\r2]\n}", "{    \"a\": [ 1, 2] }")]
    [InlineData("\"\\ud800 \\u0000\"", "\"\\ud800 \\u0000\"")]
    [InlineData("\uFEFFnull", "null")]
    public async Task One_value_is_one_chunk_on_one_line_and_otherwise_untouched(string body, string chunk)
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(BodyKind.Value, body);

        Assert.Equal([chunk], node.Log.Chunks);
        Assert.Equal(new AppendReceipt(0, 1, 1, 0, null), Assert.IsType<IngestOutcome.Stored>(outcome).Receipt);
    }

    [Theory]
    [InlineData("", "The body is empty")]
    [InlineData("  \n", "The body is empty")]
    [InlineData("{", "The body is not one JSON value")]
    [InlineData("1 2", "The body is not one JSON value")]
    public async Task What_is_not_one_value_is_refused(string body, string text)
    {
        var node = new IngestNode();

        var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Value, body));

        Assert.Equal(ErrorCode.InvalidJson, refused.Refusal.Code);
        Assert.StartsWith(text, refused.Refusal.Detail, StringComparison.Ordinal);
        Assert.Empty(node.Log.Batches);
    }

    [Fact]
    public async Task A_chunk_of_exactly_the_limit_fits_and_one_byte_more_does_not()
    {
        var node = new IngestNode(maxChunkBytes: 10);

        Assert.IsType<IngestOutcome.Stored>(await node.AppendAsync(BodyKind.Value, "  1234567890\n"));
        var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Value, "12345678901"));

        Assert.Equal(new Refusal(ErrorCode.ChunkTooLarge, "The body has 11 bytes; a chunk may have at most 10."), refused.Refusal);
        Assert.Equal(["1234567890"], node.Log.Chunks);
    }

    [Fact]
    public async Task A_body_whose_length_is_too_large_is_refused_unread()
    {
        var node = new IngestNode();
        var body = new PiecewiseBody(null, "1"u8.ToArray());

        var outcome = await node.Appender.AppendAsync(
            IngestNode.Stream, new AppendRequest(BodyKind.Value, BodyLength: 5_000_000), body, TestContext.Current.CancellationToken);

        Assert.Equal(
            new Refusal(ErrorCode.ChunkTooLarge, "The body has 5000000 bytes; a chunk may have at most 1048576."),
            Assert.IsType<IngestOutcome.Refused>(outcome).Refusal);
        Assert.Equal(0, body.Reads);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_read_no_further_than_the_limit()
    {
        var node = new IngestNode(maxChunkBytes: 1000);
        var body = new PiecewiseBody(null, [.. Enumerable.Repeat(new byte[1000], 100)]);

        var outcome = await node.AppendAsync(BodyKind.Value, body);

        Assert.Equal(ErrorCode.ChunkTooLarge, Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Code);
        Assert.InRange(body.Reads, 1, 7);
    }

    [Fact]
    public async Task Each_element_of_an_array_is_a_chunk_of_one_batch()
    {
        var node = new IngestNode();

        await node.AppendAsync(BodyKind.Array, "[1, {\"a\": [2,\n3]} ,\"x\",[],null]", new ProducerPosition(ProducerId.Parse("p"), 1, 5));

        var batch = Assert.Single(node.Log.Batches);
        Assert.Equal(["1", "{\"a\": [2, 3]}", "\"x\"", "[]", "null"], batch.Chunks);
        Assert.Equal(5, batch.FirstSequence);
    }

    [Theory]
    [InlineData("{}", "With batch=true the body must be a JSON array.")]
    [InlineData("[1,2", "The body is not one JSON value")]
    [InlineData("[1] 2", "The body is not one JSON value")]
    [InlineData("[1,,2]", "The body is not one JSON value")]
    [InlineData("", "The body is not one JSON value")]
    public async Task What_is_no_array_is_refused_as_a_whole(string body, string text)
    {
        var node = new IngestNode();

        var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Array, body));

        Assert.Equal(ErrorCode.InvalidJson, refused.Refusal.Code);
        Assert.StartsWith(text, refused.Refusal.Detail, StringComparison.Ordinal);
        Assert.Empty(node.Log.Batches);
    }

    [Fact]
    public async Task An_array_of_more_than_1024_elements_is_refused()
    {
        var node = new IngestNode();
        static string Array(int count) => $"[{string.Join(',', Enumerable.Repeat('1', count))}]";

        Assert.IsType<IngestOutcome.Stored>(await node.AppendAsync(BodyKind.Array, Array(1024)));
        var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Array, Array(1025)));

        Assert.Equal(ErrorCode.BodyTooLarge, refused.Refusal.Code);
        Assert.Equal(1024, node.Log.Chunks.Count());
    }

    [Fact]
    public async Task An_empty_array_stores_nothing()
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(BodyKind.Array, "[]");

        Assert.Equal(new AppendReceipt(0, 0, 0, 0, null), Assert.IsType<IngestOutcome.Stored>(outcome).Receipt);
        Assert.Empty(node.Log.Batches);
    }

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("plain ü😀", "\"plain ü😀\"")]
    [InlineData("a\"b\\c\n\r\t\u0001\u001f", "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\"")]
    [InlineData("\uFEFFx", "\"x\"")]
    public async Task Text_is_one_chunk_a_json_string(string text, string chunk)
    {
        var node = new IngestNode();

        await node.AppendAsync(BodyKind.Text, text);

        Assert.Equal([chunk], node.Log.Chunks);
        Assert.Equal(text.TrimStart('\uFEFF'), System.Text.Json.JsonSerializer.Deserialize<string>(chunk));
    }

    [Fact]
    public async Task The_limit_of_text_counts_what_is_stored()
    {
        var node = new IngestNode(maxChunkBytes: 10);

        Assert.IsType<IngestOutcome.Stored>(await node.AppendAsync(BodyKind.Text, "12345678"));
        Assert.IsType<IngestOutcome.Stored>(await node.AppendAsync(BodyKind.Text, "123456\n"));
        var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Text, "1234567\n"));
        Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Text, "123456789"));

        Assert.Equal(ErrorCode.ChunkTooLarge, refused.Refusal.Code);
        Assert.Equal(2, node.Log.Chunks.Count());
    }

    [Fact]
    public async Task Text_that_is_not_utf8_is_refused()
    {
        var node = new IngestNode();

        var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(BodyKind.Text, [0xFF, 0xFE]));

        Assert.Equal(ErrorCode.InvalidRequest, refused.Refusal.Code);
        Assert.Empty(node.Log.Batches);
    }

    [Theory]
    [InlineData(BodyKind.Value)]
    [InlineData(BodyKind.Array)]
    [InlineData(BodyKind.Text)]
    public async Task Of_a_whole_body_that_is_cut_nothing_is_stored(BodyKind kind)
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(kind, new PiecewiseBody(new IOException("cut"), "[1]"u8.ToArray()));

        Assert.Null(Assert.IsType<IngestOutcome.Interrupted>(outcome).Receipt);
        Assert.Empty(node.Log.Batches);
    }

    [Fact]
    public async Task It_does_not_matter_where_a_whole_body_is_split()
    {
        var bytes = Encoding.UTF8.GetBytes("\uFEFF [1,\"ü😀\"] ");
        for (var split = 0; split <= bytes.Length; split++)
        {
            var node = new IngestNode();

            await node.AppendAsync(BodyKind.Value, new PiecewiseBody(null, bytes[..split], bytes[split..]), idempotencyKey: "key");

            Assert.Equal(["[1,\"ü😀\"]"], node.Log.Chunks);
            Assert.Equal("key", node.Log.Batches[0].IdempotencyKey);
        }
    }

    [Fact]
    public async Task An_idempotency_key_does_not_go_with_lines() =>
        await Assert.ThrowsAsync<ArgumentException>(() => new IngestNode().AppendAsync(BodyKind.Lines, "1", idempotencyKey: "key"));
}
