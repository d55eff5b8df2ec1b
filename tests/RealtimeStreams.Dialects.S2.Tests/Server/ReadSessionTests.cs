using System.Globalization;
using System.Text;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

public sealed class ReadSessionTests(S2Server server) : IDisposable
{
    private readonly S2Caller caller = server.NewCaller();
    private readonly string name = S2Caller.NewName();

    [Fact]
    public async Task A_session_gives_what_is_stored_then_a_heartbeat_then_what_comes()
    {
        await caller.AppendTextAsync(name, "a", "b");
        await using var session = await caller.OpenReadAsync(name, "?seq_num=1");

        var stored = await session.BatchAsync();
        var caughtUp = await session.BatchAsync();
        await caller.AppendTextAsync(name, "c", "d");
        var live = await session.BatchAsync();

        Assert.Equal(["b"], stored.Bodies);
        Assert.Empty(caughtUp.Records);
        Assert.Equal(["c", "d"], live.Bodies);
        Assert.Equal((2UL, 2UL, 4UL), (stored.Tail, caughtUp.Tail, live.Tail));
    }

    [Theory]
    [InlineData("?seq_num=0&count=3", "abc")]
    [InlineData("?seq_num=0&count=4&wait=60", "abcd")]
    [InlineData("?seq_num=0&bytes=27", "abc")]
    [InlineData("?seq_num=0&bytes=30", "abc")]
    [InlineData("?tail_offset=1&count=100", "d")]
    [InlineData("?seq_num=2&wait=0", "cd")]
    [InlineData("?seq_num=0&until=9999999999999", "abcd")]
    [InlineData("?seq_num=0&until=1", "")]
    [InlineData("?seq_num=4&wait=1", "")]
    [InlineData("?seq_num=3&wait=1", "d")]
    [InlineData("?seq_num=9&clamp=true&wait=1", "")]
    public async Task Limits_end_a_session_quietly(string query, string expected)
    {
        await caller.AppendTextAsync(name, "a", "b");
        await caller.AppendTextAsync(name, "c", "d");
        await using var session = await caller.OpenReadAsync(name, query);

        var bodies = new StringBuilder();
        while (await session.NextAsync() is { } frame)
        {
            Assert.Equal(0, frame.Flags);
            bodies.AppendJoin("", ReadBatch.Of(frame.Payload).Bodies);
        }

        Assert.Equal(expected, bodies.ToString());
    }

    [Theory]
    [InlineData("?seq_num=9", 416)]
    [InlineData("?seq_num=2&count=1", 416)]
    [InlineData("?seq_num=0&timestamp=0", 422)]
    public async Task What_cannot_be_is_a_status_with_a_body(string query, int status)
    {
        await caller.AppendTextAsync(name, "a", "b");
        await using var session = await caller.OpenReadAsync(name, query);

        Assert.Equal(status, session.Status);
        Assert.StartsWith("{", await session.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batches_have_a_thousand_records_at_most_and_none_is_missing()
    {
        for (var batch = 0; batch < 5; batch++)
            await caller.AppendTextAsync(name, [.. Enumerable.Range(batch * 700, 700).Select(number => number.ToString(CultureInfo.InvariantCulture))]);
        await using var session = await caller.OpenReadAsync(name, "?seq_num=3&count=3000");

        var found = new List<string>();
        while (await session.NextAsync() is { } frame)
        {
            var batch = ReadBatch.Of(frame.Payload);
            Assert.InRange(batch.Records.Count, 1, 1000);
            Assert.Equal(Enumerable.Range(found.Count + 3, batch.Records.Count).Select(number => (ulong)number), batch.Records.Select(record => record.SeqNum));
            found.AddRange(batch.Bodies);
        }

        Assert.Equal(Enumerable.Range(3, 3000).Select(number => number.ToString(CultureInfo.InvariantCulture)), found);
    }

    [Fact]
    public async Task Large_records_come_in_batches_of_a_mebibyte_at_most()
    {
        for (var i = 0; i < 6; i++) await caller.AppendTextAsync(name, new string((char)('a' + i), 400_000));
        await using var session = await caller.OpenReadAsync(name, "?seq_num=0&count=6");

        var sizes = new List<int>();
        while (await session.NextAsync() is { } frame) sizes.Add(ReadBatch.Of(frame.Payload).Records.Count);

        Assert.Equal(6, sizes.Sum());
        Assert.All(sizes, size => Assert.InRange(size, 1, 2));
    }

    [Fact]
    public async Task A_stream_that_is_deleted_ends_its_readers_with_an_error()
    {
        await caller.AppendTextAsync(name, "a");
        await using var session = await caller.OpenReadAsync(name, "?seq_num=0");
        await session.BatchAsync();
        await session.BatchAsync();

        Assert.Equal(202, (await caller.SendAsync(HttpMethod.Delete, $"/v1/streams/{name}")).Status);

        var (status, code, _) = await session.TerminalAsync();
        Assert.Equal((404, "stream_not_found"), (status, code));
        await caller.AppendTextAsync(name, "anew");
        Assert.Equal(["anew"], await caller.BodiesAsync(name));
    }

    [Fact]
    public async Task Events_carry_where_they_stand_and_end_with_done()
    {
        await caller.AppendAsync(name, """{"records":[{"body":"a","timestamp":1000},{"body":"bb","timestamp":2000}]}""");

        using var response = await caller.OpenEventsAsync(name, "?seq_num=0&count=2");

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.CacheControl is { NoCache: true, NoTransform: true });
        Assert.Equal("no", Assert.Single(response.Headers.GetValues("x-accel-buffering")));
        Assert.Equal(
            """
            event: batch
            id: 1,2,19
            data: {"records":[{"seq_num":0,"timestamp":1000,"body":"a"},{"seq_num":1,"timestamp":2000,"body":"bb"}],"tail":{"seq_num":2,"timestamp":2000}}

            data: [DONE]


            """.ReplaceLineEndings("\n"),
            await response.Content.ReadAsStringAsync(S2Caller.Cancellation));
    }

    [Fact]
    public async Task Events_go_on_behind_the_last_one_with_what_is_left_of_the_limits()
    {
        await caller.AppendTextAsync(name, "a", "b", "c", "d");

        using var resumed = await caller.OpenEventsAsync(name, "?seq_num=0&count=3", ("last-event-id", "0,1,9"), ("s2-format", "base64"));
        using var wrong = await caller.OpenEventsAsync(name, "?seq_num=0&count=3", ("last-event-id", "zero"));

        var text = await resumed.Content.ReadAsStringAsync(S2Caller.Cancellation);
        Assert.Contains("id: 2,2,18\n", text, StringComparison.Ordinal);
        Assert.Contains("\"body\":\"Yg==\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"body\":\"YQ==\"", text, StringComparison.Ordinal);
        Assert.Equal(400, (int)wrong.StatusCode);
    }

    [Fact]
    public async Task Events_begin_with_a_ping_where_nothing_is_to_be_read()
    {
        using var response = await caller.OpenEventsAsync(name, "?tail_offset=0");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(S2Caller.Cancellation));

        Assert.Equal("event: ping", await reader.ReadLineAsync(S2Caller.Cancellation));
        Assert.Matches("""^data: \{"timestamp":\d+,"tail":\{"seq_num":0,"timestamp":0\}\}$""", await reader.ReadLineAsync(S2Caller.Cancellation));
    }

    public void Dispose() => caller.Dispose();
}
