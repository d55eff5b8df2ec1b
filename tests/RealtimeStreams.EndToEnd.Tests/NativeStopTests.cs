using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A run is asked to stop, natively: who asks, who works, and what the receipt says when.</summary>
public sealed class NativeStopTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());
    private readonly string task = Api.NewId("task");

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task The_receipt_goes_from_requested_over_seen_to_stopped_where_the_streams_ended()
    {
        var run = await TriggerAsync();
        await ReadRunAsync(await ClaimAsync());
        await api.AppendAsync(run, "b", "[0,1,2]", Api.Json, ("x", null));
        await api.AppendAsync(run, "a", "0\n1\n2\n", Api.Lines);
        using (await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/inputs/in", "1")) { }
        Assert.Equal(204, (int)(await api.SendAsync(HttpMethod.Get, Path(run))).StatusCode);

        var asked = await StopAsync(run, """{"reason":"enough"}""");
        var again = await StopAsync(run, """{"reason":"again"}""");
        Assert.Equal((run, StopState.Requested, "enough", "secret-key", null, null, null), (asked.Run, asked.State, asked.Reason, asked.By, asked.SeenAt, asked.Streams, asked.Outcome));
        Assert.Equal(asked, again);
        Assert.Equal(asked, await TellAsync(run));

        // The worker learns it from its renewal, and says so with the next one.
        var renewed = await ReadRunAsync(await RenewAsync(run, """{"worker":"w","attempt":1}"""));
        Assert.Equal(new StopNotice(asked.RequestedAt!.Value, "enough"), renewed.StopRequested);
        Assert.Equal(renewed.StopRequested, (await ReadRunAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}"))).StopRequested);
        Assert.Equal(StopState.Requested, (await TellAsync(run)).State);
        await ReadRunAsync(await RenewAsync(run, """{"worker":"w","attempt":1,"stopSeen":true}"""));
        var seen = await TellAsync(run);
        Assert.Equal((StopState.Seen, "w"), (seen.State, seen.SeenBy));
        Assert.Equal(seen, await ReadAsync(await SeeAsync(run, """{"worker":"w","attempt":1}""")));

        await api.AppendAsync(run, "a", "3");
        await CompleteAsync(run, """{"outcome":"cancelled","worker":"w","attempt":1}""");

        var stopped = await TellAsync(run, "?state=stopped&waitInSeconds=30");
        Assert.Equal((StopState.Stopped, Outcome.Cancelled, "w", asked.RequestedAt), (stopped.State, stopped.Outcome, stopped.SeenBy, stopped.RequestedAt));
        Assert.Equal([new("$input:in", 1), new("a", 4), new("b", 1)], stopped.Streams!);
        Assert.Equal(4, (await api.PageAsync(run, "a")).NextIndex);
        var late = await StopAsync(run, "{}");
        Assert.Equal((stopped.StoppedAt, "enough"), (late.StoppedAt, late.Reason));
    }

    [Fact]
    public async Task Who_waits_is_answered_when_the_request_has_come_so_far()
    {
        var run = await TriggerAsync();
        await ReadRunAsync(await ClaimAsync());
        var worker = TellAsync(run, "?waitInSeconds=30");
        var asker = TellAsync(run, "?state=seen&waitInSeconds=30");
        var other = TellAsync(run, "?state=stopped&waitInSeconds=30");

        await StopAsync(run, "{}");
        Assert.Equal(StopState.Requested, (await worker).State);
        await ReadAsync(await SeeAsync(run, """{"worker":"w","attempt":1}"""));
        Assert.Equal(StopState.Seen, (await asker).State);
        Assert.False(other.IsCompleted);
        await CompleteAsync(run, """{"outcome":"completed","output":1}""");

        Assert.Equal((StopState.Stopped, Outcome.Completed), ((await other).State, (await other).Outcome));
        Assert.Equal(StopState.Requested, (await TellAsync(await RequestedAsync(), "?state=seen&waitInSeconds=1")).State); // Its worker never reacts.
    }

    [Fact]
    public async Task A_run_that_nobody_has_claimed_is_cancelled_at_once()
    {
        var run = await TriggerAsync();

        var receipt = await StopAsync(run, null);

        Assert.Equal((StopState.Stopped, Outcome.Cancelled, null, 0), (receipt.State, receipt.Outcome, receipt.Reason, receipt.Streams!.Count));
        Assert.Equal(receipt.RequestedAt, receipt.StoppedAt);
        Assert.Equal(204, (int)(await ClaimAsync()).StatusCode);
        Assert.Equal("run_completed", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run), "1"))).Code);
    }

    [Fact]
    public async Task A_run_that_ended_before_anybody_asked_tells_how()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1");
        await api.CompleteAsync(run, "failed");

        var receipt = await StopAsync(run, """{"reason":"late"}""");

        Assert.Equal((StopState.Stopped, null, null, Outcome.Failed), (receipt.State, receipt.RequestedAt, receipt.Reason, receipt.Outcome));
        Assert.Equal([new("s", 1)], receipt.Streams!);
        Assert.Equal(receipt.StoppedAt, (await TellAsync(run, "?waitInSeconds=30")).StoppedAt); // At once.
    }

    [Fact]
    public async Task A_writer_of_a_run_that_was_not_triggered_waits_for_the_request_and_says_that_it_has_seen_it()
    {
        var run = await api.RegisterAsync();
        var waiting = TellAsync(run, "?waitInSeconds=30");
        await StopAsync(run, """{"reason":"ü \" \n"}""");

        Assert.Equal("ü \" \n", (await waiting).Reason);
        Assert.Equal((StopState.Seen, "me"), ((await ReadAsync(await SeeAsync(run, """{"worker":"me"}"""))).State, (await TellAsync(run)).SeenBy));
    }

    [Fact]
    public async Task Every_reader_is_told_live_and_later_ones_at_once()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "0");
        using var first = await api.OpenSseAsync(run, "s");
        using var lines = await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", Api.Lines));
        using var unborn = await api.OpenSseAsync(run, "not-yet");
        using var input = await SseReader.OpenAsync(api, $"/api/v1/runs/{run}/inputs/in");
        using var text = new StreamReader(await lines.Content.ReadAsStreamAsync(Api.Cancellation));
        await first.UntilAsync("caught-up");
        await unborn.UntilAsync("caught-up");
        using (var head = await api.HeadAsync(run, "s")) Assert.Null(Api.Header(head, NativeHeaders.StopRequested));

        var asked = await StopAsync(run, """{"reason":"enough"}""");

        var told = new SseEvent(null, "stop-requested", $$"""{"at":{{System.Text.Json.JsonSerializer.Serialize(asked.RequestedAt)}},"reason":"enough"}""");
        Assert.Equal(told, await first.NextAsync());
        Assert.Equal(told, (await unborn.UntilAsync("stop-requested"))[^1]);
        Assert.Equal(told, (await input.UntilAsync("stop-requested"))[^1]);
        string? line;
        do line = await text.ReadLineAsync(Api.Cancellation);
        while (line is not null && !line.Contains("stop-requested", StringComparison.Ordinal));
        Assert.Equal($$"""{"event":"stop-requested",{{told.Data[1..]}}""", line);

        await api.AppendAsync(run, "s", "1"); // The run goes on, and so do its readers.
        Assert.Equal(new SseEvent("1", null, "1"), await first.NextAsync());
        using var late = await api.OpenSseAsync(run, "s", "?startIndex=1");
        Assert.Equal([told, new SseEvent("1", null, "1")], [(await late.NextAsync())!, (await late.NextAsync())!]);
        await api.CompleteAsync(run, "cancelled");
        Assert.Equal(["end"], (await first.RestAsync()).Select(last => last.Name));

        using (var page = await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", Api.Json)))
            Assert.EndsWith($"\"stopRequested\":{told.Data}}}", await page.Content.ReadAsStringAsync(Api.Cancellation), StringComparison.Ordinal);
        using (var head = await api.HeadAsync(run, "s"))
            Assert.Equal(asked.RequestedAt, DateTimeOffset.Parse(Api.Header(head, NativeHeaders.StopRequested)!, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("stop", """{"reason":1}""", "invalid_request", "reason")]
    [InlineData("stop", "{\"reason\":", "invalid_json", null)]
    [InlineData("stop", "null", "invalid_request", null)]
    [InlineData("stop/seen", "{}", "invalid_request", "worker")]
    [InlineData("stop/seen", """{"worker":""}""", "invalid_request", null)]
    [InlineData("stop/seen", """{"worker":"w","attempt":"x"}""", "invalid_request", "attempt")]
    [InlineData("stop/seen", """{"worker":"w"}""", "stop_not_requested", null)]
    public async Task What_is_said_wrongly_is_refused_and_nothing_is_requested(string path, string body, string code, string? field)
    {
        var run = await api.RegisterAsync();

        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/{path}", body));

        Assert.Equal((code, field), (problem.Code, problem.Field));
        Assert.Equal(204, (int)(await api.SendAsync(HttpMethod.Get, Path(run))).StatusCode);
    }

    [Theory]
    [InlineData("?waitInSeconds=31", "waitInSeconds")]
    [InlineData("?waitInSeconds=-1", "waitInSeconds")]
    [InlineData("?waitInSeconds=x", "waitInSeconds")]
    [InlineData("?state=running", "state")]
    public async Task A_wait_that_cannot_be_is_refused(string query, string field)
    {
        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Get, Path(await api.RegisterAsync()) + query));
        Assert.Equal(("invalid_request", field), (problem.Code, problem.Field));
    }

    [Fact]
    public async Task Too_long_a_reason_and_a_run_that_is_not_there_are_refused()
    {
        var run = await api.RegisterAsync();
        Assert.Equal("invalid_request", await CodeAsync(run, 1025));
        Assert.Equal("body_too_large", await CodeAsync(run, 100_000));
        Assert.Equal("run_not_found", await CodeAsync(Api.NewId(), 1));
        Assert.Equal("run_not_found", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Get, Path(Api.NewId()) + "?waitInSeconds=30"))).Code);
        Assert.Equal(1024, (await StopAsync(run, $$"""{"reason":"{{new string('r', 1024)}}"}""")).Reason!.Length);

        async Task<string?> CodeAsync(string id, int length) => (await Api.ReadProblemAsync(
            await api.SendAsync(HttpMethod.Post, Path(id), $$"""{"reason":"{{new string('r', length)}}"}"""))).Code;
    }

    private static string Path(string run) => $"/api/v1/runs/{run}/stop";

    private static Task<RunInfo> ReadRunAsync(HttpResponseMessage response) => Api.ReadAsync(response, NativeJson.Default.RunInfo);

    private static Task<StopReceipt> ReadAsync(HttpResponseMessage response) => Api.ReadAsync(response, NativeJson.Default.StopReceipt);

    private async Task<StopReceipt> StopAsync(string run, string? body) => await ReadAsync(await api.SendAsync(HttpMethod.Post, Path(run), body));

    private async Task<StopReceipt> TellAsync(string run, string query = "") => await ReadAsync(await api.SendAsync(HttpMethod.Get, Path(run) + query));

    private Task<HttpResponseMessage> SeeAsync(string run, string body) => api.SendAsync(HttpMethod.Post, Path(run) + "/seen", body);

    private Task<HttpResponseMessage> RenewAsync(string run, string body) => api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/renew", body);

    private Task<HttpResponseMessage> ClaimAsync() => api.SendAsync(HttpMethod.Post, "/api/v1/runs/claim", $$"""{"tasks":["{{task}}"],"worker":"w"}""");

    private async Task CompleteAsync(string run, string body) => await ReadRunAsync(await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", body));

    private async Task<string> TriggerAsync() =>
        (await ReadRunAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"taskId":"{{task}}","triggered":true}"""))).Id;

    private async Task<string> RequestedAsync()
    {
        var run = await TriggerAsync();
        await ReadRunAsync(await ClaimAsync());
        await StopAsync(run, "{}");
        return run;
    }
}
