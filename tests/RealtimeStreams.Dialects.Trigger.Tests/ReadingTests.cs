using System.Diagnostics;
using System.Net;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class ReadingTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task Chunks_arrive_in_the_clients_envelope_with_their_indexes()
    {
        var run = await api.RegisterAsync();
        string[] chunks = ["""{"n":1,"t":"a\"b\\c\u0001"}""", "\"two\"", "3", "null", "[]", "\"日本 😀\""];
        await api.WriteAsync(run, "out", chunks);
        await api.CloseAsync(run, "out");

        using var reader = await api.ReadAsync(run, "out");
        var records = await reader.TakeAllAsync();

        Assert.Equal(chunks, records.Select(record => record.Data));
        Assert.Equal([0, 1, 2, 3, 4, 5], records.Select(record => record.SeqNum));
        Assert.Equal(records.Count, records.Select(record => record.Id).Distinct().Count());
        Assert.All(records, record => Assert.InRange(record.Timestamp, 1_700_000_000_000, 4_000_000_000_000));
    }

    [Fact]
    public async Task A_read_starts_behind_the_last_record_from_every_index()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "out", "0", "1", "2");
        await api.WriteAsync(run, "out", "3", "4");
        await api.CloseAsync(run, "out");

        for (var last = -1; last <= 4; last++)
        {
            using var reader = await api.ReadAsync(run, "out", "Last-Event-ID", $"{last}");
            Assert.Equal(Enumerable.Range(last + 1, 4 - last).Select(n => $"{n}"), (await reader.TakeAllAsync()).Select(record => record.Data));
        }
        using var fromEnd = await api.ReadAsync(run, "out", "Last-Event-ID", "-3");
        Assert.Equal(["3", "4"], (await fromEnd.TakeAllAsync()).Select(record => record.Data));
    }

    [Fact]
    public async Task A_reader_may_come_before_the_first_chunk_and_is_answered_at_once()
    {
        var run = await api.RegisterAsync();

        using var reader = await api.ReadAsync(run, "later");
        await api.WriteAsync(run, "later", "1");

        Assert.Equal("1", Assert.Single(await reader.TakeAsync(1)).Data);
    }

    [Fact]
    public async Task A_reader_of_what_comes_from_now_on_gets_nothing_older()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "out", "0", "1");

        using var reader = await api.ReadAsync(run, "out", "X-Trigger-Stream-Start", "latest");
        await api.WriteAsync(run, "out", "2");

        Assert.Equal(2, Assert.Single(await reader.TakeAsync(1)).SeqNum);
        using var resumed = await api.ReadAsync(run, "out", "X-Trigger-Stream-Start", "latest", "Last-Event-ID", "0");
        Assert.Equal([1, 2], (await resumed.TakeAsync(2)).Select(record => record.SeqNum));
    }

    [Fact]
    public async Task A_reader_sees_that_the_run_was_asked_to_stop_and_the_stream_goes_on()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "out", "0");
        using var reader = await api.ReadAsync(run, "out");
        Assert.Equal("0", Assert.Single(await reader.TakeAsync(1)).Data);
        Assert.False(reader.Answer.Headers.Contains("RealtimeStreams-Stop-Requested"));

        await api.StopAsync(run, "enough\n, thanks");

        Assert.Matches("""^stop-requested \{"at":"[^"]+","reason":"enough\\n, thanks"\}$""", await reader.CommentAsync("stop-requested"));
        await api.WriteAsync(run, "out", "1");
        Assert.Equal("1", Assert.Single(await reader.TakeAsync(1)).Data);
        using var later = await api.ReadAsync(run, "out", "Last-Event-ID", "1");
        Assert.True(DateTimeOffset.TryParse(later.Answer.Headers.GetValues("RealtimeStreams-Stop-Requested").Single(), out _));
        await later.CommentAsync("stop-requested"); // Nothing else is to come.
        await api.CompleteAsync(run, "cancelled");
        Assert.Empty(await later.TakeAllAsync());
    }

    [Fact]
    public async Task The_read_ends_cleanly_when_nothing_came_for_as_long_as_the_reader_waits()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "out", "0");
        var began = Stopwatch.GetTimestamp();

        using var reader = await api.ReadAsync(run, "out", "Timeout-Seconds", "1");

        Assert.Equal("0", Assert.Single(await reader.TakeAllAsync()).Data);
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
        Assert.Equal(1, reader.Pings);
    }

    [Fact]
    public async Task The_read_of_a_stream_ends_when_the_stream_does()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "out", "0");
        using var reader = await api.ReadAsync(run, "out", "Timeout-Seconds", "600");
        Assert.Single(await reader.TakeAsync(1));

        await api.CompleteAsync(run);

        Assert.Null(await reader.NextAsync());
    }

    [Fact]
    public async Task A_stream_that_an_ended_run_never_had_ends_at_once()
    {
        var run = await api.RegisterAsync();
        await api.CompleteAsync(run, "failed");

        using var reader = await api.ReadAsync(run, "never", "Timeout-Seconds", "600");

        Assert.Null(await reader.NextAsync());
    }

    [Fact]
    public async Task The_reader_of_a_run_that_is_erased_is_cut_off_and_then_told()
    {
        var run = await api.RegisterAsync();
        await api.WriteAsync(run, "out", "0");
        using var reader = await api.ReadAsync(run, "out");
        await reader.TakeAsync(1);

        using (var erased = await api.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds=30")) Assert.Equal(HttpStatusCode.OK, erased.StatusCode);

        await Assert.ThrowsAnyAsync<IOException>(() => reader.NextAsync());
        await api.RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, $"/realtime/v1/streams/{run}/out");
    }

    [Fact]
    public async Task A_run_that_is_not_there_is_not_found() =>
        await api.RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, $"/realtime/v1/streams/{Api.NewRun()}/out");

    [Theory]
    [InlineData("Timeout-Seconds", "0")]
    [InlineData("Timeout-Seconds", "601")]
    [InlineData("Timeout-Seconds", "-1")]
    [InlineData("Timeout-Seconds", "1.5")]
    [InlineData("Timeout-Seconds", "soon")]
    [InlineData("Last-Event-ID", "abc")]
    [InlineData("Last-Event-ID", "99999999999999999999")]
    public async Task A_header_that_cannot_be_met_is_told_in_plain_text(string header, string value)
    {
        var run = await api.RegisterAsync();

        using var answer = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/streams/{run}/out", null, header, value);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains(header, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/realtime/v1/streams/self/out")]
    [InlineData("/realtime/v1/streams/%E0%80/out")]
    [InlineData("/realtime/v1/streams/run/%FF")]
    [InlineData("/realtime/v1/streams/run/a%01b")]
    public async Task Ids_that_can_be_none_are_refused(string path) => await api.RefusedAsync(HttpStatusCode.BadRequest, HttpMethod.Get, path);

    [Fact]
    public async Task Ids_with_slashes_and_other_letters_make_the_round_trip()
    {
        var run = await api.RegisterAsync(id: $"läuft/{Guid.NewGuid():N}%2F");
        var path = $"{Uri.EscapeDataString(run)}/{Uri.EscapeDataString("a/b c%2F")}";
        using (var appended = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{Uri.EscapeDataString(run)}/self/{Uri.EscapeDataString("a/b c%2F")}/append", "x"))
            Assert.Equal(HttpStatusCode.OK, appended.StatusCode);

        using var reader = await BatchReader.OpenAsync(api, $"/realtime/v1/streams/{path}");

        Assert.Equal("\"x\"", Assert.Single(await reader.TakeAsync(1)).Data);
    }
}
