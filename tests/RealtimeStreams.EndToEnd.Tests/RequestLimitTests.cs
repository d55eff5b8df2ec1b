using System.Net;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Limits of an environment and of a token, met by the dialects as bytes on the wire.</summary>
public sealed class RequestLimitTests : IClassFixture<LimitedServer>, IAsyncLifetime
{
    private readonly LimitedServer server;
    private readonly string environment = $"limited {Guid.NewGuid():N}";
    private string key = "";
    private Api? api;

    public RequestLimitTests(LimitedServer server) => this.server = server;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Api Api => api!;

    public async ValueTask InitializeAsync()
    {
        key = await server.MakeEnvironmentAsync(environment);
        api = new Api(server.CreateClient(key));
    }

    public ValueTask DisposeAsync()
    {
        api?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Requests_beyond_the_rate_are_refused_with_limit_and_wait_store_nothing_and_others_are_not_held()
    {
        var run = await Api.RegisterAsync();
        var token = await IssueAsync($"read:runs:{run}");
        await server.SetAsync(environment, """{"requestsPerSecond":1,"requestBurst":3}""");

        var statuses = new List<int>();
        var stored = new List<string>();
        HttpResponseMessage? refused = null;
        for (var i = 0; refused is null; i++)
        {
            var answer = await Api.SendAsync(HttpMethod.Post, Api.StreamPath(run), $"{i}");
            statuses.Add((int)answer.StatusCode);
            if (answer.IsSuccessStatusCode) stored.Add($"{i}");
            else refused = answer;
        }

        Assert.InRange(statuses.Count, 4, 10); // Some more when the machine takes seconds.
        await AssertRefusedAsync(refused, new LimitInfo("requestsPerSecond", 1, "environment"));
        using (var foreign = new Api(server.Process.CreateClient())) await foreign.RegisterAsync(); // Another environment.
        using (var page = new Api(server.CreateClient(token)))
        {
            using var asked = await AskAsync(page, Api.StreamPath(run), until: 429); // The environment's limit holds its tokens too.
            Assert.Equal("environment", (await Api.ReadProblemAsync(asked)).Limit!.Of);
        }
        await server.SetAsync(environment, """{"requestsPerSecond":null,"requestBurst":null}""");
        Assert.Equal(stored, (await Api.PageAsync(run, "default")).Data);
    }

    [Fact]
    public async Task Whoever_waits_as_told_is_let_in()
    {
        await server.SetAsync(environment, """{"requestsPerSecond":2,"requestBurst":1}""");
        using var refused = await AskAsync(Api, "/api/v1/runs", until: 429);
        var wait = refused.Headers.RetryAfter!.Delta!.Value;

        Assert.InRange(wait.TotalSeconds, 1, 2);
        var since = TimeProvider.System.GetTimestamp();
        await Until.TrueAsync(() => "Still refused.", async () =>
        {
            using var answer = await Api.SendAsync(HttpMethod.Get, "/api/v1/runs");
            return answer.IsSuccessStatusCode;
        });
        Assert.InRange(TimeProvider.System.GetElapsedTime(since), TimeSpan.Zero, wait + TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_token_that_comes_too_often_is_refused_in_every_dialect_and_neither_another_token_nor_the_key_is()
    {
        var run = await Api.RegisterAsync();
        await Api.AppendAsync(run, "default", "1");
        var token = await IssueAsync($"read:runs:{run}");
        var other = await IssueAsync($"read:runs:{run}");
        await server.SetAsync(environment, """{"tokenRequestsPerSecond":1,"tokenRequestBurst":2}""");

        using var page = new Api(server.CreateClient(token));
        using (var native = await AskAsync(page, Api.StreamPath(run), until: 429)) await AssertRefusedAsync(native, new LimitInfo("tokenRequestsPerSecond", 1, "token"));
        using (var trigger = await AskAsync(page, $"/realtime/v1/streams/{run}/default", until: 429, ("Origin", SharedServer.AllowedOrigin)))
        {
            using var body = JsonDocument.Parse(await trigger.Content.ReadAsStringAsync(Cancelled));
            Assert.Contains("tokenRequestsPerSecond of this token is 1", body.RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
            Assert.Equal("rate_limited", body.RootElement.GetProperty("code").GetString());
            Assert.Equal("1", trigger.Headers.GetValues("x-ratelimit-limit").Single());
            var reset = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(trigger.Headers.GetValues("x-ratelimit-reset").Single(), null));
            Assert.InRange(reset - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(-5), TimeSpan.FromSeconds(2));
            Assert.True(trigger.Headers.Contains("Access-Control-Allow-Origin"));
            Assert.InRange(trigger.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 2);
        }
        using (var s2 = await AskAsync(page, $"/v1/streams/runs%2F{run}%2Fdefault/records/tail", until: 429))
        {
            Assert.Contains("\"code\":\"rate_limited\"", await s2.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
            Assert.InRange(s2.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 2);
        }
        using (var second = new Api(server.CreateClient(other))) Assert.Equal(["1"], (await second.PageAsync(run, "default")).Data);
        Assert.Equal(["1"], (await Api.PageAsync(run, "default")).Data);
    }

    [Fact]
    public async Task Live_reads_of_all_dialects_share_the_places_of_their_environment_and_give_them_back()
    {
        var run = await Api.RegisterAsync();
        await Api.AppendAsync(run, "default", "1");
        await server.SetAsync(environment, """{"readers":3}""");
        string[] paths = [Api.StreamPath(run), $"/realtime/v1/streams/{run}/default", $"/v1/streams/runs%2F{run}%2Fdefault/records?seq_num=0"];
        var open = new List<HttpResponseMessage>();
        foreach (var path in paths) open.Add(await Api.SendAsync(HttpMethod.Get, path, headers: ("Accept", "text/event-stream")));
        Assert.All(open, read => Assert.Equal(HttpStatusCode.OK, read.StatusCode));

        foreach (var path in paths)
        {
            using var refused = await Api.SendAsync(HttpMethod.Get, path, headers: ("Accept", "text/event-stream"));
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.Equal(1, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
            Assert.Contains("readers of this environment is 3", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }
        (string Path, string Accept)[] others =
        [
            (Api.StreamPath(run), Api.Lines),
            (Api.StreamPath(run) + "?startIndex=1&timeoutInSeconds=30", Api.Json),
            ($"/api/v1/runs/{run}/inputs/x", "text/event-stream"),
            ($"/api/v1/runs/{run}/stop?waitInSeconds=30", Api.Json),
            ("/api/v1/erasures/none?waitInSeconds=30", Api.Json),
            ($"/realtime/v1/streams/{run}/input/x", "text/event-stream"),
            ($"/realtime/v1/runs/{run}?live=true&offset=-1", Api.Json),
            ($"/v1/streams/runs%2F{run}%2Fdefault/records?seq_num=1&wait=30", Api.Json),
        ];
        using var connection = new Http2Connection(server.Process, key);
        foreach (var (path, accept) in others)
        {
            using var over1 = await Api.SendAsync(HttpMethod.Get, path, headers: ("Accept", accept));
            using var over2 = await connection.SendAsync(HttpMethod.Get, path, accept: accept);
            foreach (var refused in (HttpResponseMessage[])[over1, over2])
            {
                Assert.True((int)refused.StatusCode == 429, $"{path}: {(int)refused.StatusCode}");
                Assert.Equal(1, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
                Assert.Contains("readers of this environment is 3", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
            }
        }
        Assert.Equal(["1"], (await Api.PageAsync(run, "default")).Data); // A page is no live read.

        foreach (var (read, path) in open.Zip(paths))
        {
            read.Dispose();
            using var next = await AskAsync(Api, path, until: 200, ("Accept", "text/event-stream"));
        }
    }

    [Fact]
    public async Task A_token_has_its_own_number_of_live_reads()
    {
        var run = await Api.RegisterAsync();
        var token = await IssueAsync($"read:runs:{run}");
        await server.SetAsync(environment, """{"tokenReaders":1}""");
        using var page = new Api(server.CreateClient(token));
        using var open = await page.SendAsync(HttpMethod.Get, Api.StreamPath(run), headers: ("Accept", "text/event-stream"));
        Assert.Equal(HttpStatusCode.OK, open.StatusCode);

        using var refused = await page.SendAsync(HttpMethod.Get, Api.StreamPath(run), headers: ("Accept", "text/event-stream"));

        await AssertRefusedAsync(refused, new LimitInfo("tokenReaders", 1, "token"));
        using var ofKey = await Api.SendAsync(HttpMethod.Get, Api.StreamPath(run), headers: ("Accept", "text/event-stream"));
        Assert.Equal(HttpStatusCode.OK, ofKey.StatusCode);
    }

    [Fact]
    public async Task An_open_body_too_many_is_refused_before_anything_of_it_is_stored_and_the_first_goes_on()
    {
        var run = await Api.RegisterAsync();
        await server.SetAsync(environment, """{"openBodies":1}""");
        await using var first = await RawRequest.ConnectAsync(server.Process.Port);
        await first.SendAsync(Head("POST", Api.StreamPath(run, "first"), "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked"));
        await first.SendAsync("2\r\n1\n\r\n");
        await ArrivedAsync(run, "first", 1);

        foreach (var path in (string[])[Api.StreamPath(run, "second"), $"/realtime/v1/streams/{run}/self/second"])
        {
            using var refused = await Api.SendAsync(HttpMethod.Post, path, "\"refused\"\n", Api.Lines);
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.Contains("openBodies of this environment is 1", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }

        await first.SendAsync("2\r\n2\n\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await first.ReadUntilAsync("\r\n"), StringComparison.Ordinal);
        using (var missing = await Api.HeadAsync(run, "second")) Assert.Equal("0", Api.Header(missing, NativeHeaders.NextIndex));
        await Until.TrueAsync(() => "The place is not free.", async () =>
        {
            using var next = await Api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "first"), "3\n", Api.Lines);
            return next.IsSuccessStatusCode;
        });
        Assert.Equal(["1", "2", "3"], (await Api.PageAsync(run, "first")).Data);
    }

    [Fact]
    public async Task A_token_whose_bodies_come_slowly_takes_its_own_places_and_not_those_of_others()
    {
        var run = await Api.RegisterAsync();
        var token = await IssueAsync($"append:streams:{run}/s", $"read:runs:{run}");
        await server.SetAsync(environment, """{"tokenConcurrentRequests":2,"concurrentRequests":3}""");
        using var page = new Api(server.CreateClient(token));
        var slow = new List<RawRequest>();
        for (var i = 0; i < 2; i++) slow.Add(await BeginSlowlyAsync(Api.StreamPath(run, "s"), token));

        string[] paths = [Api.StreamPath(run, "s") + "?limit=1", $"/realtime/v1/runs/{run}", $"/v1/streams/runs%2F{run}%2Fs/records/tail"];
        foreach (var path in paths)
        {
            using var refused = await AskAsync(page, path, until: 429);
            Assert.Equal(1, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
            Assert.Contains("tokenConcurrentRequests of this token is 2", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }
        using (await AskAsync(Api, "/api/v1/runs", until: 200)) { } // The environment has a place left.

        foreach (var request in slow)
        {
            await request.SendAsync("2");
            Assert.StartsWith("HTTP/1.1 200", await request.ReadUntilAsync("\r\n"), StringComparison.Ordinal);
            await request.DisposeAsync();
        }
        using (await AskAsync(page, paths[0], until: 200)) { }
        using var live = await page.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", "text/event-stream"));
        using var another = await page.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", "text/event-stream"));
        Assert.Equal((200, 200), ((int)live.StatusCode, (int)another.StatusCode));
        for (var i = 0; i < 3; i++)
            using (await AskAsync(page, paths[0], until: 200)) { } // Live reads have left their places.
    }

    [Fact]
    public async Task A_token_has_its_own_number_of_open_bodies_in_every_dialect_that_takes_them_and_gives_them_back()
    {
        var run = await Api.RegisterAsync();
        string[] scopes = [$"append:streams:{run}/first", $"append:streams:{run}/second"];
        var token = await IssueAsync(scopes);
        var other = await IssueAsync(scopes);
        await server.SetAsync(environment, """{"tokenOpenBodies":1}""");
        using var page = new Api(server.CreateClient(token));
        using var connection = new Http2Connection(server.Process, token);
        var session = $"/v1/streams/runs%2F{run}%2Fsecond/records";
        using var first = new OpenBody(Api.Lines);
        var writing = connection.SendAsync(HttpMethod.Post, Api.StreamPath(run, "first"), first);
        await first.WriteAsync("1\n");
        await ArrivedAsync(run, "first", 1);

        using (var refused = await page.SendAsync(HttpMethod.Post, Api.StreamPath(run, "second"), "\"refused\"\n", Api.Lines))
            await AssertRefusedAsync(refused, new LimitInfo("tokenOpenBodies", 1, "token"));
        using (var body = new OpenBody("s2s/proto"))
        using (var refused = await connection.SendAsync(HttpMethod.Post, session, body))
        {
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.Equal(1, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
            Assert.Contains("tokenOpenBodies of this token is 1", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }
        using (var second = new Api(server.CreateClient(other))) await second.AppendAsync(run, "first", "2\n", Api.Lines); // Another token.
        await Api.AppendAsync(run, "first", "3\n", Api.Lines); // The key.
        await page.AppendAsync(run, "first", "4"); // A whole body is none.

        await first.WriteAsync("5\n");
        first.End();
        using (var stored = await writing) Assert.Equal(200, (int)stored.StatusCode);
        (OpenBody Body, HttpResponseMessage Answer)? begun = null;
        await Until.TrueAsync(() => "The place is not free.", async () =>
        {
            var body = new OpenBody("s2s/proto");
            var answer = await connection.SendAsync(HttpMethod.Post, session, body);
            if (answer.IsSuccessStatusCode) begun = (body, answer);
            else body.Dispose();
            return begun is not null;
        });
        using (begun!.Value.Answer)
        using (begun.Value.Body)
        using (var refused = await page.SendAsync(HttpMethod.Post, Api.StreamPath(run, "second"), "\"refused\"\n", Api.Lines))
            await AssertRefusedAsync(refused, new LimitInfo("tokenOpenBodies", 1, "token"));
        await Until.TrueAsync(() => "The place of the session is not free.", async () =>
        {
            using var next = await page.SendAsync(HttpMethod.Post, Api.StreamPath(run, "first"), "6\n", Api.Lines);
            return next.IsSuccessStatusCode;
        });
        Assert.Equal(["1", "2", "3", "4", "5", "6"], (await Api.PageAsync(run, "first")).Data);
        Assert.Equal(1, connection.Connects);
    }

    [Fact]
    public async Task Requests_at_the_same_time_are_counted_until_they_are_answered_and_live_reads_are_none_of_them()
    {
        var run = await Api.RegisterAsync();
        await server.SetAsync(environment, """{"concurrentRequests":1}""");
        using var read = await AskAsync(Api, Api.StreamPath(run), until: 200, ("Accept", "text/event-stream"));
        await using var slow = await BeginSlowlyAsync(Api.StreamPath(run), key);

        using (var refused = await AskAsync(Api, "/api/v1/runs", until: 429))
            await AssertRefusedAsync(refused, new LimitInfo("concurrentRequests", 1, "environment"));

        await slow.SendAsync("2");
        Assert.StartsWith("HTTP/1.1 200", await slow.ReadUntilAsync("\r\n"), StringComparison.Ordinal);
        using var next = await AskAsync(Api, "/api/v1/runs", until: 200);
    }

    private string Head(string method, string path, params string[] headers) => Head(method, path, key, headers);

    private static string Head(string method, string path, string credential, string[] headers) =>
        $"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {credential}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";

    /// <summary>A request that has been let in, and of whose body of two bytes only the first has come.</summary>
    private async Task<RawRequest> BeginSlowlyAsync(string path, string credential)
    {
        RawRequest? begun = null;
        var answer = "";
        await Until.TrueAsync(() => $"It was not let in: {answer}", async () =>
        {
            var request = await RawRequest.ConnectAsync(server.Process.Port);
            await request.SendAsync(Head("POST", path, credential, ["Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue"]));
            answer = await request.ReadUntilAsync("\r\n\r\n");
            // The server says so when it reads the body, and so holds a place. One that another request has just left may not be free yet.
            if (answer.StartsWith("HTTP/1.1 100 ", StringComparison.Ordinal)) begun = request;
            else await request.DisposeAsync();
            return begun is not null;
        });
        await begun!.SendAsync("1");
        return begun;
    }

    private async Task<string> IssueAsync(params string[] scopes)
    {
        var body = JsonSerializer.Serialize(new IssueToken(scopes), NativeJson.Default.IssueToken);
        using var answer = await Api.SendAsync(HttpMethod.Post, "/api/v1/tokens", body);
        using var issued = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancelled));
        return issued.RootElement.GetProperty("token").GetString()!;
    }

    private async Task ArrivedAsync(string run, string stream, int count)
    {
        string? next = null;
        await Until.TrueAsync(() => $"{count} chunks; the next index was {next}", async () =>
        {
            using var answer = await Api.HeadAsync(run, stream);
            next = Api.Header(answer, NativeHeaders.NextIndex);
            return next == $"{count}";
        });
    }

    /// <summary>Asks until the answer has this status, as fast as it goes.</summary>
    private static async Task<HttpResponseMessage> AskAsync(Api api, string path, int until, params (string Name, string? Value)[] headers)
    {
        var status = 0;
        HttpResponseMessage? found = null;
        await Until.TrueAsync(() => $"{path} answered {status}, not {until}.", async () =>
        {
            for (var i = 0; i < 50 && found is null; i++)
            {
                var answer = await api.SendAsync(HttpMethod.Get, path, headers: headers);
                status = (int)answer.StatusCode;
                if (status == until) found = answer;
                else answer.Dispose();
            }
            return found is not null;
        });
        return found!;
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage refused, LimitInfo limit)
    {
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.True(refused.Headers.CacheControl?.NoStore);
        var problem = await Api.ReadProblemAsync(refused);
        Assert.Equal(("rate_limited", true, limit), (problem.Code, problem.Retryable, problem.Limit));
        Assert.Contains($"The limit {limit.Name} of this {limit.Of} is {limit.Value}", problem.Detail, StringComparison.Ordinal);
    }
}
