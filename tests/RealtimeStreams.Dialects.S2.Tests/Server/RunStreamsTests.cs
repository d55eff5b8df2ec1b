using System.Text.Json;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>Streams of runs, written and read over S2 and over the native API.</summary>
public sealed class RunStreamsTests(S2Server server) : IDisposable
{
    private readonly S2Caller caller = server.NewCaller();
    private readonly string run = $"run-{Guid.NewGuid():N}";

    private string Name => $"runs/{run}/out";

    [Fact]
    public async Task An_envelope_is_its_chunk_to_others_and_comes_back_byte_for_byte()
    {
        await RegisterAsync();
        string[] bodies =
        [
            """{"data":{"a":[1,"\u00e9"]},"id":"abc1234"}""", """{"data":"text","id":"x"}""", "plain text", """{"other":1}""", """{"data": 1,"id":"spaced"}""",
        ];

        await using var session = await caller.OpenAppendAsync(Name);
        await session.AppendAsync(bodies);
        Assert.Equal((0UL, 5UL, 5UL), await session.AckAsync());

        Assert.Equal(bodies, await caller.BodiesAsync(Name));
        Assert.Equal(bodies, await caller.BodiesAsync($"/{Name}"));
        await using var read = await caller.OpenReadAsync(Name, "?seq_num=0&count=5");
        Assert.Equal(bodies, (await read.BatchAsync()).Bodies);
        Assert.Equal(
            ["""{"a":[1,"\u00e9"]}""", "\"text\"", "\"plain text\"", """{"other":1}""", """{"data": 1,"id":"spaced"}"""],
            await NativeChunksAsync());
    }

    [Fact]
    public async Task What_the_native_api_writes_s2_reads_with_the_same_numbers()
    {
        await RegisterAsync();
        await NativeAsync(HttpMethod.Post, "/streams/out", "{\"n\":0}");
        await caller.AppendTextAsync(Name, "one");
        await NativeAsync(HttpMethod.Post, "/streams/out", "2");

        Assert.Equal(["{\"n\":0}", "one", "2"], await caller.BodiesAsync(Name));
        Assert.Equal(3, (await caller.GetAsync(S2Caller.Records(Name, "/tail"))).SeqNum("tail"));
    }

    [Fact]
    public async Task A_batch_of_envelopes_that_is_sent_again_is_acknowledged_as_the_first_was()
    {
        await RegisterAsync();
        string[] batch = ["""{"data":1,"id":"aaaaaaa"}""", """{"data":2,"id":"bbbbbbb"}"""];
        await using (var first = await caller.OpenAppendAsync(Name))
        {
            await first.AppendAsync("""{"data":0,"id":"0000000"}""");
            await first.AppendAsync(batch);
            await first.AckAsync();
            Assert.Equal((1UL, 3UL, 3UL), await first.AckAsync());
        }

        await using var again = await caller.OpenAppendAsync(Name);
        await again.AppendAsync(batch);
        await again.AppendAsync("""{"data":3,"id":"ccccccc"}""");

        Assert.Equal((1UL, 3UL, 3UL), await again.AckAsync());
        Assert.Equal((3UL, 4UL, 4UL), await again.AckAsync());
        Assert.Equal(["0", "1", "2", "3"], await NativeChunksAsync());
    }

    [Fact]
    public async Task What_is_no_envelope_is_stored_as_often_as_it_is_sent()
    {
        await RegisterAsync();
        await caller.AppendTextAsync(Name, "same");
        await caller.AppendTextAsync(Name, "same");

        Assert.Equal(["same", "same"], await caller.BodiesAsync(Name));
    }

    [Fact]
    public async Task A_run_that_is_not_registered_has_no_streams()
    {
        foreach (var answer in (Answer[])
        [
            await caller.AppendAsync(Name, """{"records":[{}]}"""),
            await caller.GetAsync(S2Caller.Records(Name, "?wait=1")),
            await caller.GetAsync(S2Caller.Records(Name, "/tail")),
            await caller.SendAsync(HttpMethod.Put, $"/v1/streams/{Uri.EscapeDataString(Name)}"),
            await caller.SendAsync(HttpMethod.Post, "/v1/streams", JsonSerializer.Serialize(new { stream = Name })),
        ])
        {
            Assert.Equal((404, "stream_not_found"), answer.Error);
            Assert.Contains(run, answer.Text, StringComparison.Ordinal);
        }
        await using var session = await caller.OpenAppendAsync(Name);
        Assert.Equal(404, session.Status);
        Assert.Contains("stream_not_found", await session.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_runs_stream_can_be_created_until_it_is_there_and_is_deleted_with_its_run_only()
    {
        await RegisterAsync();
        var body = JsonSerializer.Serialize(new { stream = Name });
        Assert.Equal(201, (await caller.SendAsync(HttpMethod.Post, "/v1/streams", body)).Status);
        await caller.AppendTextAsync(Name, "a");

        Assert.Equal((409, "resource_already_exists"), (await caller.SendAsync(HttpMethod.Post, "/v1/streams", body)).Error);
        Assert.Equal(200, (await caller.SendAsync(HttpMethod.Put, $"/v1/streams/{Uri.EscapeDataString(Name)}")).Status);
        Assert.Equal((422, "invalid"), (await caller.SendAsync(HttpMethod.Put, $"/v1/streams/{Uri.EscapeDataString(Name)}", """{"timestamping":{"mode":"arrival"}}""")).Error);
        Assert.Equal((403, "permission_denied"), (await caller.SendAsync(HttpMethod.Delete, $"/v1/streams/{Uri.EscapeDataString(Name)}")).Error);
        Assert.Contains(Name, (await caller.GetAsync($"/v1/streams?prefix={Uri.EscapeDataString($"runs/{run}/")}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_has_ended_takes_nothing_more_and_ends_its_readers_quietly()
    {
        await RegisterAsync();
        await caller.AppendTextAsync(Name, "a");
        await using var reader = await caller.OpenReadAsync(Name, "?seq_num=0");
        Assert.Equal(["a"], (await reader.BatchAsync()).Bodies);
        await reader.BatchAsync();

        await NativeAsync(HttpMethod.Post, "/complete", """{"outcome":"completed"}""");

        Assert.Null(await reader.NextAsync());
        var refused = await caller.AppendAsync(Name, """{"records":[{}]}""");
        Assert.Equal((422, "invalid"), refused.Error);
        Assert.Contains("completed", refused.Text, StringComparison.OrdinalIgnoreCase);
        await using var session = await caller.OpenAppendAsync(Name);
        await session.AppendAsync("late");
        var (status, code, _) = await session.TerminalAsync();
        Assert.Equal((422, "invalid"), (status, code));
        Assert.Equal(["a"], await caller.BodiesAsync(Name));
    }

    [Fact]
    public async Task A_live_session_of_a_run_that_has_its_bytes_stores_none_of_what_goes_beyond_and_ends_with_the_refusal()
    {
        using var admin = server.NewCaller(S2Server.OperatorKey);
        var environment = $"bytes-{run}";
        var made = await admin.SendAsync(HttpMethod.Post, "/api/v1/admin/environments", $$"""{"id":"{{environment}}"}""");
        var set = await admin.SendAsync(HttpMethod.Patch, $"/api/v1/admin/environments/{environment}", """{"maxRunBytes":100}""");
        Assert.Equal((201, 200), (made.Status, set.Status));
        using var limited = server.NewCaller(made.Json.GetProperty("secretKey").GetString());
        Assert.Equal(201, (await limited.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new { id = run }))).Status);
        var forty = new string('x', 40);
        await using var session = await limited.OpenAppendAsync(Name);
        await session.AppendAsync(forty, forty);
        Assert.Equal((0UL, 2UL, 2UL), await session.AckAsync());

        await session.AppendAsync("y", forty); // A batch is stored whole or not at all.
        var (status, code, text) = await session.TerminalAsync();

        Assert.Equal((403, "quota_exhausted"), (status, code));
        Assert.Contains("its limit of 100 bytes", text, StringComparison.Ordinal);
        Assert.Equal([forty, forty], await limited.BodiesAsync(Name));
        Assert.Equal((403, "quota_exhausted"), (await limited.AppendAsync($"runs/{run}/other", $$"""{"records":[{"body":"{{forty}}"}]}""")).Error);
    }

    [Fact]
    public async Task Readers_see_that_the_run_was_asked_to_stop_and_the_stream_goes_on()
    {
        const string Header = "RealtimeStreams-Stop-Requested";
        await RegisterAsync();
        await caller.AppendTextAsync(Name, "one");
        using var live = await caller.OpenEventsAsync(Name, "?seq_num=0");
        using var lines = new StreamReader(await live.Content.ReadAsStreamAsync(S2Caller.Cancellation));
        Assert.False(live.Headers.Contains(Header));

        await NativeAsync(HttpMethod.Post, "/stop", """{"reason":"enough"}""");

        Assert.Matches("""^: stop-requested \{"at":"[^"]+","reason":"enough"\}$""", await LineAsync(lines, ": "));
        await caller.AppendTextAsync(Name, "two");
        Assert.Contains("\"body\":\"two\"", await LineAsync(lines, "data: {\"records\":[{\"seq_num\":1"), StringComparison.Ordinal);
        using var events = await caller.OpenEventsAsync(Name, "?seq_num=0&count=2");
        Assert.StartsWith(": stop-requested {", await events.Content.ReadAsStringAsync(S2Caller.Cancellation), StringComparison.Ordinal);
        Assert.True(events.Headers.Contains(Header));
        Assert.True((await caller.GetAsync(S2Caller.Records(Name, "?seq_num=0"))).Response.Headers.Contains(Header));
        await using var frames = await caller.OpenReadAsync(Name, "?seq_num=0&count=2");
        Assert.True(frames.HasHeader(Header));
        Assert.Equal(["one", "two"], (await frames.BatchAsync()).Bodies);

        static async Task<string> LineAsync(StreamReader lines, string beginning)
        {
            while (await lines.ReadLineAsync(S2Caller.Cancellation) is { } line)
                if (line.StartsWith(beginning, StringComparison.Ordinal)) return line;
            throw new EndOfStreamException($"No line begins with {beginning}");
        }
    }

    public void Dispose() => caller.Dispose();

    private Task<Answer> RegisterAsync() => NativeAsync(HttpMethod.Post, "", JsonSerializer.Serialize(new { id = run }), "/api/v1/runs");

    private async Task<Answer> NativeAsync(HttpMethod method, string rest, string? body, string? path = null)
    {
        var answer = await caller.SendAsync(method, (path ?? $"/api/v1/runs/{run}") + rest, body);
        Assert.True(answer.Status is 200 or 201, answer.Text);
        return answer;
    }

    private async Task<IEnumerable<string>> NativeChunksAsync()
    {
        var answer = await caller.GetAsync($"/api/v1/runs/{run}/streams/out", ("accept", "application/json"));
        return answer.Json.GetProperty("chunks").EnumerateArray().Select(chunk => chunk.GetProperty("data").GetRawText()).ToList();
    }
}
