using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The rows of the native API that read.</summary>
public sealed class NativeReadTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    [Fact]
    public async Task A_reader_gets_what_is_stored_then_what_comes_then_the_end()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1\n2\n", Api.Lines);
        using var reader = await api.OpenSseAsync(run, "s");

        var stored = await reader.UntilAsync(NativeEvents.CaughtUp);
        await api.AppendAsync(run, "s", "3");
        var live = await reader.NextAsync();
        await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close", "{\"finalChunk\":4}");
        var rest = await reader.RestAsync();

        Assert.Equal([new("0", null, "1"), new("1", null, "2"), new(null, "caught-up", "{\"nextIndex\":2}")], stored);
        Assert.Equal(new SseEvent("2", null, "3"), live);
        Assert.Equal([new("3", null, "4"), new(null, "end", "{\"outcome\":\"completed\",\"nextIndex\":4}")], rest);
        Assert.Equal("no-store", reader.Response.Headers.CacheControl!.ToString());
        Assert.Equal("no", Api.Header(reader.Response, "X-Accel-Buffering"));
    }

    [Theory]
    [InlineData("", null, 0)]
    [InlineData("?startIndex=0", null, 0)]
    [InlineData("?startIndex=3", null, 3)]
    [InlineData("?startIndex=5", null, 5)]
    [InlineData("?startIndex=-2", null, 3)]
    [InlineData("?startIndex=-100", null, 0)]
    [InlineData("", "1", 2)]
    [InlineData("?startIndex=0", "4", 5)]
    public async Task A_read_starts_where_it_is_asked_to(string query, string? lastEventId, int first)
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "0\n1\n2\n3\n4\n", Api.Lines);

        using var reader = await api.OpenSseAsync(run, "s", query, ("Last-Event-ID", lastEventId));
        var events = await reader.UntilAsync(NativeEvents.CaughtUp);

        Assert.Equal(Enumerable.Range(first, 5 - first).Select(i => $"{i}"), events.SkipLast(1).Select(next => next.Id));
        Assert.Equal(Enumerable.Range(first, 5 - first).Select(i => $"{i}"), events.SkipLast(1).Select(next => next.Data));
    }

    [Fact]
    public async Task A_read_beyond_the_end_waits_for_its_index()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "0");
        using var reader = await api.OpenSseAsync(run, "s", "?startIndex=2");
        await reader.UntilAsync(NativeEvents.CaughtUp);

        await api.AppendAsync(run, "s", "1\n2\n", Api.Lines);

        Assert.Equal(new SseEvent("2", null, "2"), await reader.NextAsync());
    }

    [Fact]
    public async Task A_stream_of_an_open_run_can_be_read_before_it_exists()
    {
        var run = await api.RegisterAsync();
        using var tail = await api.HeadAsync(run, "s");
        using var reader = await api.OpenSseAsync(run, "s");
        await reader.UntilAsync(NativeEvents.CaughtUp);

        await api.AppendAsync(run, "s", "0");

        Assert.Equal((200, "0", "open"), ((int)tail.StatusCode, Api.Header(tail, NativeHeaders.NextIndex), Api.Header(tail, NativeHeaders.State)));
        Assert.Equal(new SseEvent("0", null, "0"), await reader.NextAsync());
    }

    [Fact]
    public async Task A_read_ends_after_the_time_it_would_wait_without_data()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "0");

        using var reader = await api.OpenSseAsync(run, "s", "?timeoutInSeconds=1");
        var events = await reader.RestAsync();

        Assert.Equal([null, NativeEvents.CaughtUp, NativeEvents.Timeout], events.Select(next => next.Name));
        Assert.Equal("{\"nextIndex\":1}", events[2].Data);
    }

    [Fact]
    public async Task Lines_carry_chunks_and_control_events()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "{\"a\":1}");
        await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close");

        using var response = await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", Api.Lines));
        var lines = (await response.Content.ReadAsStringAsync(Api.Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(Api.Lines, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            [
                "{\"index\":0,\"data\":{\"a\":1}}",
                "{\"event\":\"caught-up\",\"nextIndex\":1}",
                "{\"event\":\"end\",\"outcome\":\"completed\",\"nextIndex\":1}",
            ],
            lines);
    }

    [Fact]
    public async Task Pages_follow_one_another_without_gaps()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", string.Concat(Enumerable.Range(0, 25).Select(i => $"{i}\n")), Api.Lines);

        var first = await api.PageAsync(run, "s", "?limit=10");
        var second = await api.PageAsync(run, "s", $"?limit=10&startIndex={first.NextIndex}");
        var third = await api.PageAsync(run, "s", $"?limit=10&startIndex={second.NextIndex}");
        var fourth = await api.PageAsync(run, "s", $"?limit=10&startIndex={third.NextIndex}");

        Assert.Equal(Enumerable.Range(0, 25).Select(i => ((long)i, $"{i}")), [.. first.Chunks, .. second.Chunks, .. third.Chunks, .. fourth.Chunks]);
        Assert.Equal([(10L, false), (20L, false), (25L, true), (25L, true)], new[] { first, second, third, fourth }.Select(page => (page.NextIndex, page.CaughtUp)));
    }

    [Fact]
    public async Task A_page_of_an_empty_stream_does_not_wait_unless_asked_to()
    {
        var run = await api.RegisterAsync();

        var empty = await api.PageAsync(run, "s", "");
        var waiting = api.PageAsync(run, "s", "?timeoutInSeconds=60");
        await api.AppendAsync(run, "s", "0");

        Assert.Equal((0L, "open", true), (empty.NextIndex, empty.State, empty.CaughtUp));
        Assert.Empty(empty.Chunks);
        Assert.Equal(["0"], (await waiting).Data);
    }

    [Fact]
    public async Task A_page_holds_at_most_about_2_MiB_and_the_next_goes_on_where_it_ends()
    {
        var run = await api.RegisterAsync();
        var large = '"' + new string('x', 1_000_000) + '"';
        for (var i = 0; i < 5; i++) await api.AppendAsync(run, "s", large);

        var page = await api.PageAsync(run, "s");
        var next = await api.PageAsync(run, "s", "?startIndex=3");

        Assert.Equal((3, 3L, false), (page.Chunks.Count, page.NextIndex, page.CaughtUp));
        Assert.Equal((2, 5L, true), (next.Chunks.Count, next.NextIndex, next.CaughtUp));
    }

    [Theory]
    [InlineData(null, "text/event-stream")]
    [InlineData("*/*", "text/event-stream")]
    [InlineData("application/json, text/plain, */*", "application/json")]
    [InlineData("application/x-ndjson", "application/x-ndjson")]
    public async Task The_representation_is_chosen_by_accept(string? accept, string contentType)
    {
        var run = await api.RegisterAsync();
        await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close");

        using var response = await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", accept));

        Assert.Equal(contentType, response.Content.Headers.ContentType?.MediaType);
    }

    public void Dispose() => api.Dispose();
}
