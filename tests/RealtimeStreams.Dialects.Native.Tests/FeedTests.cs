using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native.Reading;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Tests;

public sealed class FeedTests
{
    private readonly FakeTimeProvider clock = new();
    private readonly MemoryStream sent = new();
    private readonly CancellationTokenSource stopping = new();

    [Fact]
    public async Task Silence_is_broken_by_a_heartbeat_every_15_seconds()
    {
        var read = new ScriptedRead(clock, new ReadStep(ReadStepKind.CaughtUp, new ChunkIndex(7)));

        var text = await SendAsync(read, SseFormat.Instance, timeout: TimeSpan.FromSeconds(40));

        Assert.Equal(
            "retry: 1000\n\nevent: caught-up\ndata: {\"nextIndex\":7}\n\n: heartbeat\n\n: heartbeat\n\nevent: timeout\ndata: {\"nextIndex\":7}\n\n", text);
        Assert.All(read.Waits, wait => Assert.True(wait <= TimeSpan.FromSeconds(15)));
        Assert.Equal(TimeSpan.FromSeconds(40), TimeSpan.FromTicks(read.Waits.Sum(wait => wait.Ticks)));
    }

    [Fact]
    public async Task A_heartbeat_does_not_put_the_idle_timeout_off()
    {
        var read = new ScriptedRead(clock);

        await SendAsync(read, SseFormat.Instance, timeout: TimeSpan.FromSeconds(20));

        Assert.Equal([TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5)], read.Waits);
    }

    [Fact]
    public async Task A_server_that_stops_says_where_to_go_on()
    {
        var read = new ScriptedRead(clock);
        read.OnWait = _ => stopping.Cancel();

        var text = await SendAsync(read, SseFormat.Instance, timeout: null);

        Assert.EndsWith("event: reconnect\ndata: {\"nextIndex\":7}\n\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AccessEnd.Expired, "expired")]
    [InlineData(AccessEnd.Revoked, "revoked")]
    public async Task A_token_that_ends_is_told_with_the_cursor(AccessEnd end, string reason)
    {
        using var watch = new ScriptedWatch();
        var read = new ScriptedRead(clock);
        read.OnWait = _ => watch.Finish(end);

        Assert.EndsWith(
            $"event: token-expired\ndata: {{\"nextIndex\":7,\"reason\":\"{reason}\"}}\n\n",
            await SendAsync(read, SseFormat.Instance, timeout: null, watch: watch),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_tell_that_a_token_ended()
    {
        using var watch = new ScriptedWatch();
        var read = new ScriptedRead(clock);
        read.OnWait = _ => watch.Finish(AccessEnd.Expired);

        Assert.Equal(
            "\n{\"event\":\"token-expired\",\"nextIndex\":7,\"reason\":\"expired\"}\n", await SendAsync(read, LinesFormat.Instance, timeout: null, watch: watch));
    }

    [Fact]
    public async Task A_client_that_has_gone_ends_the_feed_with_a_cancellation()
    {
        using var gone = new CancellationTokenSource();
        using var watch = new ScriptedWatch();
        var read = new ScriptedRead(clock);
        read.OnWait = _ => gone.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new Feed(read, SseFormat.Instance, PipeWriter.Create(sent), null, clock).SendAsync(0, watch, stopping.Token, gone.Token));
    }

    [Theory]
    [InlineData(ReadStepKind.Ended, "event: end\ndata: {\"outcome\":\"cancelled\",\"nextIndex\":7}\n\n")]
    [InlineData(ReadStepKind.Erased, "event: error\ndata: {\"type\":\"urn:realtimestreams:error:stream_gone\"")]
    public async Task The_last_step_is_the_last_event(ReadStepKind kind, string text) =>
        Assert.Contains(
            text,
            await SendAsync(new ScriptedRead(clock, new ReadStep(kind, new ChunkIndex(7), Outcome: Outcome.Cancelled)), SseFormat.Instance, null),
            StringComparison.Ordinal);

    [Fact]
    public async Task What_is_gone_is_told_with_what_was_asked_for()
    {
        var read = new ScriptedRead(
            clock, new ReadStep(ReadStepKind.Trimmed, new ChunkIndex(5)), new ReadStep(ReadStepKind.Ended, new ChunkIndex(7), Outcome: Outcome.Completed));

        Assert.Contains(
            "event: trimmed\ndata: {\"requestedIndex\":2,\"firstIndex\":5}\n\n", await SendAsync(read, SseFormat.Instance, null, start: 2), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_say_the_same_as_events()
    {
        var read = new ScriptedRead(clock, new ReadStep(ReadStepKind.CaughtUp, new ChunkIndex(7)));
        read.OnWait = count =>
        {
            if (count == 2) stopping.Cancel();
        };

        var text = await SendAsync(read, LinesFormat.Instance, timeout: null);

        Assert.Equal("\n{\"event\":\"caught-up\",\"nextIndex\":7}\n\n{\"event\":\"reconnect\",\"nextIndex\":7}\n", text);
    }

    [Fact]
    public async Task A_request_to_stop_that_was_there_before_is_told_first()
    {
        var read = new ScriptedRead(
            clock, new ReadStep(ReadStepKind.CaughtUp, new ChunkIndex(7)), new ReadStep(ReadStepKind.Ended, new ChunkIndex(7), Outcome: Outcome.Cancelled));

        Assert.Equal(
            "retry: 1000\n\nevent: stop-requested\ndata: {\"at\":\"2026-11-22T12:00:00+00:00\",\"reason\":\"enough\"}\n\n"
            + "event: caught-up\ndata: {\"nextIndex\":7}\n\nevent: end\ndata: {\"outcome\":\"cancelled\",\"nextIndex\":7}\n\n",
            await SendAsync(read, SseFormat.Instance, timeout: null, requested: Request("enough")));
    }

    [Fact]
    public async Task A_request_to_stop_cuts_the_wait_short_is_told_once_and_the_read_goes_on()
    {
        using var stop = new AskedStop();
        var read = new ScriptedRead(clock);
        read.OnWait = count =>
        {
            if (count == 1) stop.Ask(Request(null));
        };

        var text = await SendAsync(read, LinesFormat.Instance, timeout: TimeSpan.FromSeconds(20), stop: stop);

        Assert.Equal(
            "\n{\"event\":\"stop-requested\",\"at\":\"2026-11-22T12:00:00+00:00\"}\n\n{\"event\":\"timeout\",\"nextIndex\":7}\n", text);
        Assert.Equal([TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5)], read.Waits);
    }

    [Fact]
    public async Task A_client_that_goes_while_a_request_to_stop_comes_ends_the_feed()
    {
        using var gone = new CancellationTokenSource();
        using var stop = new AskedStop();
        var read = new ScriptedRead(clock);
        read.OnWait = _ =>
        {
            gone.Cancel();
            stop.Ask(Request(null));
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new Feed(read, SseFormat.Instance, PipeWriter.Create(sent), null, clock, stop: stop).SendAsync(0, new ScriptedWatch(), stopping.Token, gone.Token));
        Assert.DoesNotContain("stop-requested", Encoding.UTF8.GetString(sent.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_a_log_that_is_away_is_an_error_and_not_an_empty_page() =>
        await Assert.ThrowsAsync<LogUnavailableException>(() =>
            new ChunkPage(new ScriptedRead(clock), limit: 10).FetchAsync(null, TestContext.Current.CancellationToken));

    private static StopRequest Request(string? reason) => new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero), reason, "secret-key", null, null);

    private async Task<string> SendAsync(
        ScriptedRead read, FeedFormat format, TimeSpan? timeout, long start = 0, ScriptedWatch? watch = null, StopRequest? requested = null, IStopWatch? stop = null)
    {
        using var lasting = new ScriptedWatch();
        watch ??= lasting;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, watch.Ended, TestContext.Current.CancellationToken);
        await new Feed(read, format, PipeWriter.Create(sent), timeout, clock, requested, stop).SendAsync(start, watch, stopping.Token, ending.Token);
        return Encoding.UTF8.GetString(sent.ToArray());
    }

    private sealed class AskedStop : IStopWatch
    {
        private readonly CancellationTokenSource requested = new();

        public CancellationToken Requested => requested.Token;

        public StopRequest? Request { get; private set; }

        public void Ask(StopRequest request)
        {
            Request = request;
            requested.Cancel();
        }

        public void Dispose() => requested.Dispose();
    }
}
