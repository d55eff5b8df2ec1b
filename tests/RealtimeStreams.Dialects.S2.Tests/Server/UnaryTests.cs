using System.Globalization;
using System.Net.Http.Headers;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

public sealed class UnaryTests(S2Server server) : IDisposable
{
    private readonly S2Caller caller = server.NewCaller();
    private readonly string name = S2Caller.NewName();

    [Fact]
    public async Task A_stream_comes_into_being_with_its_first_append_and_gives_back_what_was_written()
    {
        var first = await caller.AppendAsync(name, """{"records":[{"body":"hé","headers":[["kind","note"],["kind",""]],"timestamp":1000},{}]}""");
        var second = await caller.AppendAsync(name, """{"records":[{"body":"{\"a\":1}"}],"match_seq_num":2,"fencing_token":""}""");

        Assert.Equal((0, 2, 2), (first.SeqNum("start"), first.SeqNum("end"), first.SeqNum("tail")));
        Assert.Equal(1000, first.Json.GetProperty("start").GetProperty("timestamp").GetInt64());
        Assert.Equal((2, 3), (second.SeqNum("start"), second.SeqNum("end")));
        var read = (await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"))).Json;
        Assert.Equal(
            """{"seq_num":0,"timestamp":1000,"headers":[["kind","note"],["kind",""]],"body":"hé"}""",
            read.GetProperty("records")[0].GetRawText());
        Assert.Equal(["hé", "", "{\"a\":1}"], await caller.BodiesAsync(name));
        Assert.Equal(3, (await caller.GetAsync(S2Caller.Records(name, "/tail"))).SeqNum("tail"));
    }

    [Fact]
    public async Task Protobuf_goes_in_and_comes_out()
    {
        var input = new Message()
            .Field(1, new Message().Number(1, 1000).Field(2, new Message().Field(1, [1]).Field(2, [0xFF])).Field(3, [0, 0xFE, 0xFF]))
            .Number(2, 0);
        using var append = caller.Request(HttpMethod.Post, S2Caller.Records(name), ("accept", "application/protobuf"));
        append.Content = new ByteArrayContent(input.Bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/protobuf") } };

        var ack = Message.Read((await caller.SendAsync(append)).Body);
        var read = ReadBatch.Of((await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"), ("accept", "application/protobuf"))).Body);

        Assert.Equal([1, 2, 3], ack.Select(field => field.Field));
        Assert.Equal(1UL, read.Tail);
        var record = Assert.Single(read.Records);
        Assert.Equal((0UL, 1000UL), (record.SeqNum, record.Timestamp));
        Assert.Equal([0, 0xFE, 0xFF], record.Body);
        var (header, value) = Assert.Single(record.Headers);
        Assert.Equal([1], header);
        Assert.Equal([0xFF], value);
    }

    [Fact]
    public async Task Base64_goes_in_and_comes_out()
    {
        await caller.AppendAsync(name, """{"records":[{"body":"AP8=","headers":[["gA==","/w=="]]}]}""", ("s2-format", "base64"));

        var base64 = await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"), ("s2-format", "base64"));
        var raw = await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"));

        Assert.Equal("AP8=", base64.Json.GetProperty("records")[0].GetProperty("body").GetString());
        Assert.Equal("gA==", base64.Json.GetProperty("records")[0].GetProperty("headers")[0][0].GetString());
        Assert.Equal("\0\uFFFD", raw.Json.GetProperty("records")[0].GetProperty("body").GetString());
    }

    [Theory]
    [InlineData("seq_num=3", 416, null)] // At the end.
    [InlineData("seq_num=3&clamp=true", 416, null)]
    [InlineData("seq_num=9", 416, null)]
    [InlineData("seq_num=18446744073709551615", 416, null)]
    [InlineData("", 416, null)]
    [InlineData("tail_offset=0", 416, null)]
    [InlineData("timestamp=4000", 416, null)]
    [InlineData("seq_num=9&clamp=true&wait=1", 200, "")]
    [InlineData("seq_num=9&wait=1", 416, null)]
    [InlineData("wait=1", 200, "")]
    [InlineData("seq_num=1", 200, "bc")]
    [InlineData("seq_num=1&count=1", 200, "b")]
    [InlineData("seq_num=0&count=0", 200, "")]
    [InlineData("tail_offset=2", 200, "bc")]
    [InlineData("tail_offset=99", 200, "abc")]
    [InlineData("timestamp=0", 200, "abc")]
    [InlineData("timestamp=2000", 200, "bc")]
    [InlineData("timestamp=2001", 200, "c")]
    [InlineData("seq_num=0&until=3000", 200, "ab")]
    [InlineData("seq_num=0&until=1000", 200, "")]
    [InlineData("seq_num=0&bytes=18", 200, "ab")]
    [InlineData("seq_num=0&bytes=17", 200, "a")]
    [InlineData("seq_num=0&bytes=8", 200, "")]
    [InlineData("seq_num=0&tail_offset=1", 422, "invalid")]
    [InlineData("timestamp=5&until=5", 422, "invalid")]
    [InlineData("seq_num=-1", 400, "bad_query")]
    [InlineData("seq_num=x", 400, "bad_query")]
    [InlineData("count=1.5", 400, "bad_query")]
    [InlineData("clamp=yes", 400, "bad_query")]
    public async Task A_read_starts_and_stops_where_it_is_told(string query, int status, string? expected)
    {
        await caller.AppendAsync(name, """{"records":[{"body":"a","timestamp":1000},{"body":"b","timestamp":2000},{"body":"c","timestamp":3000}]}""");

        var answer = await caller.GetAsync(S2Caller.Records(name, $"?{query}"));

        Assert.Equal(status, answer.Status);
        if (status == 416) Assert.Equal("""{"tail":{"seq_num":3,"timestamp":3000}}""", answer.Text);
        else if (status != 200) Assert.Equal(expected, answer.Error.Code);
        else Assert.Equal(expected, string.Concat(answer.Json.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("body").GetString())));
    }

    [Fact]
    public async Task The_tail_is_told_only_by_a_read_that_reached_it()
    {
        await caller.AppendTextAsync(name, "a", "b");

        Assert.False((await caller.GetAsync(S2Caller.Records(name, "?seq_num=0&count=1"))).Json.TryGetProperty("tail", out _));
        Assert.Equal(2, (await caller.GetAsync(S2Caller.Records(name, "?seq_num=0&count=2"))).SeqNum("tail"));
        Assert.Equal(2, (await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"))).SeqNum("tail"));
        Assert.Equal(2, (await caller.GetAsync(S2Caller.Records(name, "?wait=1"))).SeqNum("tail"));
    }

    [Fact]
    public async Task A_read_that_waits_answers_as_soon_as_something_is_there()
    {
        await caller.AppendTextAsync(name, "a");
        var waiting = caller.GetAsync(S2Caller.Records(name, "?seq_num=1&wait=60"));

        await caller.AppendTextAsync(name, "b");

        var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, S2Caller.Cancellation);
        Assert.Equal("b", Assert.Single(answer.Json.GetProperty("records").EnumerateArray()).GetProperty("body").GetString());
    }

    [Fact]
    public async Task One_answer_has_a_thousand_records_at_most()
    {
        for (var batch = 0; batch < 3; batch++)
            await caller.AppendTextAsync(name, [.. Enumerable.Range(batch * 400, 400).Select(number => number.ToString(CultureInfo.InvariantCulture))]);

        var first = (await caller.GetAsync(S2Caller.Records(name, "?seq_num=10"))).Json;
        var rest = (await caller.GetAsync(S2Caller.Records(name, "?seq_num=1010"))).Json;

        Assert.Equal(
            Enumerable.Range(10, 1000).Select(number => number.ToString(CultureInfo.InvariantCulture)),
            first.GetProperty("records").EnumerateArray().Select(record => record.GetProperty("body").GetString()));
        Assert.False(first.TryGetProperty("tail", out _));
        Assert.Equal(190, rest.GetProperty("records").GetArrayLength());
        Assert.Equal(1200, rest.GetProperty("tail").GetProperty("seq_num").GetInt64());
    }

    [Fact]
    public async Task One_answer_measures_a_mebibyte_at_most()
    {
        var body = new string('x', 300_000);
        for (var i = 0; i < 5; i++) await caller.AppendTextAsync(name, body);

        Assert.Equal(3, (await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"))).Json.GetProperty("records").GetArrayLength());
    }

    [Fact]
    public async Task Conditions_that_do_not_hold_are_told_with_what_would()
    {
        await caller.AppendTextAsync(name, "a");
        var fence = await caller.AppendAsync(name, """{"records":[{"body":"alice","headers":[["","fence"]]}],"fencing_token":""}""");
        Assert.Equal(200, fence.Status);

        var index = await caller.AppendAsync(name, """{"records":[{"body":"x"}],"match_seq_num":7}""");
        var token = await caller.AppendAsync(name, """{"records":[{"body":"x"}],"match_seq_num":7,"fencing_token":"bob"}""");
        var empty = await caller.AppendAsync(name, """{"records":[{"body":"x"}],"fencing_token":""}""");
        var none = await caller.AppendAsync(name, """{"records":[{"body":"x"}]}""");
        var right = await caller.AppendAsync(name, """{"records":[{"body":"y"}],"match_seq_num":3,"fencing_token":"alice"}""");

        Assert.Equal((412, """{"seq_num_mismatch":2}"""), (index.Status, index.Text));
        Assert.Equal((412, """{"fencing_token_mismatch":"alice"}"""), (token.Status, token.Text));
        Assert.Equal((412, """{"fencing_token_mismatch":"alice"}"""), (empty.Status, empty.Text));
        Assert.Equal((200, 200), (none.Status, right.Status));
        Assert.Equal(["a", "alice", "x", "y"], await caller.BodiesAsync(name));
    }

    [Fact]
    public async Task A_trim_command_takes_the_records_before_it_away()
    {
        await caller.AppendTextAsync(name, "a", "b", "c", "d");

        await caller.AppendAsync(name, """{"records":[{"body":"AAAAAAAAAAI=","headers":[["","dHJpbQ=="]]}]}""", ("s2-format", "base64"));

        Assert.Equal(["c", "d"], (await caller.BodiesAsync(name)).Take(2));
        Assert.Equal(5, (await caller.GetAsync(S2Caller.Records(name, "/tail"))).SeqNum("tail"));
        await caller.AppendAsync(name, """{"records":[{"body":"AAAAAAAAAAE=","headers":[["","dHJpbQ=="]]}]}""", ("s2-format", "base64"));
        Assert.Equal(["c", "d"], (await caller.BodiesAsync(name)).Take(2)); // Never back.
        await caller.AppendAsync(name, """{"records":[{"body":"//////////8=","headers":[["","dHJpbQ=="]]}]}""", ("s2-format", "base64"));
        Assert.Equal("""{"seq_num":7""", (await caller.GetAsync(S2Caller.Records(name, "?seq_num=0"))).Text[8..20]); // All: it is capped behind itself.
    }

    [Theory]
    [InlineData("nonsense", 400, "bad_json")]
    [InlineData("""{"records":[]}""", 422, "invalid")]
    [InlineData("""{"records":[{"headers":[["","unknown"]]}]}""", 422, "invalid")]
    [InlineData("""{"records":[{}]}""", 422, "invalid", """{"timestamping":{"mode":"client-require"}}""")]
    public async Task A_wrong_body_stores_nothing_and_makes_no_stream(string body, int status, string code, string? config = null)
    {
        (string, string)[] headers = config is null ? [] : [("s2-stream-config", config)];
        Assert.Equal((status, code), (await caller.AppendAsync(name, body, headers)).Error);
        Assert.Empty((await caller.GetAsync($"/v1/streams?prefix={name}")).Json.GetProperty("streams").EnumerateArray());
        Assert.Equal(200, (await caller.AppendAsync(name, """{"records":[{"timestamp":1}]}""", headers)).Status);
        Assert.Equal(1, (await caller.GetAsync(S2Caller.Records(name, "/tail"))).SeqNum("tail"));
    }

    [Fact]
    public async Task Wrong_protobuf_and_wrong_headers_are_refused()
    {
        using var garbage = caller.Request(HttpMethod.Post, S2Caller.Records(name));
        garbage.Content = new ByteArrayContent([0xFF, 0xFF, 0xFF]) { Headers = { ContentType = new MediaTypeHeaderValue("application/protobuf") } };
        Assert.Equal((400, "bad_proto"), (await caller.SendAsync(garbage)).Error);
        using var large = caller.Request(HttpMethod.Post, S2Caller.Records(name));
        large.Content = new ByteArrayContent(new byte[3_000_000]) { Headers = { ContentType = new MediaTypeHeaderValue("application/protobuf") } };
        Assert.Equal((422, "invalid"), (await caller.SendAsync(large)).Error);
        Assert.Equal((400, "bad_header"), (await caller.AppendAsync(name, "{}", ("s2-format", "hex"))).Error);
        Assert.Equal((400, "bad_header"), (await caller.AppendAsync(name, "{}", ("s2-encryption-key", "k"))).Error);
        Assert.Empty((await caller.GetAsync($"/v1/streams?prefix={name}")).Json.GetProperty("streams").EnumerateArray());
    }

    [Theory]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("a%2Fb", "a%252Fb")]
    [InlineData("ä ?#&", "%C3%A4%20%3F%23%26")]
    public async Task Names_are_unescaped_once(string text, string segment)
    {
        var unique = Guid.NewGuid().ToString("N");
        var answer = await caller.SendAsync(HttpMethod.Post, $"/v1/streams/{segment}{unique}/records", """{"records":[{"body":"a"}]}""");
        Assert.True(answer.Status == 200, answer.Text);

        var listed = await caller.GetAsync($"/v1/streams?prefix={Uri.EscapeDataString(text + unique)}");

        Assert.Equal(text + unique, Assert.Single(listed.Json.GetProperty("streams").EnumerateArray()).GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("%2E")]
    [InlineData("%2E%2E")]
    [InlineData("a%00b")]
    [InlineData("%FF")]
    [InlineData("%zz")]
    public async Task What_can_be_no_name_is_refused(string segment)
    {
        using var older = server.NewCaller(http2: false); // Over HTTP/2 the server's own checks of paths answer some with a reset.

        // Dots are resolved before anybody sees them, so that the address is another one.
        Assert.Equal(segment.StartsWith("%2E", StringComparison.Ordinal) ? 404 : 400, (await older.GetAsync($"/v1/streams/{segment}/records/tail")).Status);
    }

    [Fact]
    public async Task It_all_goes_over_the_older_version_too()
    {
        using var older = server.NewCaller(http2: false);

        await older.AppendTextAsync(name, "a");

        Assert.Equal(["a"], await older.BodiesAsync(name));
        Assert.Equal(["a"], await caller.BodiesAsync(name));
    }

    public void Dispose() => caller.Dispose();
}
