using System.Diagnostics;
using System.Net;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Tokens that are issued, that expire under a read, and that are revoked.</summary>
public sealed class NativeTokenTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task An_issued_token_is_valid_for_a_quarter_of_an_hour_unless_said_otherwise()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1");
        var now = TimeProvider.System.GetUtcNow();

        var token = await IssueAsync(api, 201, $$"""{"scopes":["read:streams:{{run}}/s"]}""");
        var longer = await IssueAsync(api, 201, $$"""{"scopes":["admin"],"expiresInSeconds":2592000}""");

        Assert.InRange(token.ExpiresAt, now.AddMinutes(15).AddSeconds(-2), now.AddMinutes(17));
        Assert.InRange(longer.ExpiresAt, now.AddDays(30).AddSeconds(-2), now.AddDays(30).AddMinutes(2));
        Assert.Equal((200, 403), (await ReadAsync(api, run, "s", token.Token), await ReadAsync(api, run, "t", token.Token)));
    }

    [Theory]
    [InlineData("{}", "scopes")]
    [InlineData("""{"scopes":[]}""", "scopes")]
    [InlineData("""{"scopes":"read:runs"}""", "scopes")]
    [InlineData("""{"scopes":["read:runs",null]}""", "scopes[1]")]
    [InlineData("""{"scopes":[""]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["look:runs"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:thing:x"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:runs:"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:tags:"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:runs:parent"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:streams:run_1"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:streams:run_1/"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:streams:run%5F1/s"]}""", "scopes[0]")]
    [InlineData("""{"scopes":["read:runs"],"expiresInSeconds":0}""", "expiresInSeconds")]
    [InlineData("""{"scopes":["read:runs"],"expiresInSeconds":2592001}""", "expiresInSeconds")]
    [InlineData("""{"scopes":["read:runs"],"expiresInSeconds":"soon"}""", "expiresInSeconds")]
    public async Task What_cannot_be_a_token_is_refused_with_the_field(string body, string field)
    {
        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/tokens", body));

        Assert.Equal((400, "invalid_request", field), (problem.Status, problem.Code, problem.Field));
    }

    [Fact]
    public async Task Scopes_that_fit_into_no_token_are_refused()
    {
        var scopes = string.Join(',', Enumerable.Range(0, 100).Select(i => $"\"read:runs:{new string('ä', 20)}{i}\""));
        var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/tokens", $$"""{"scopes":[{{scopes}}]}"""));

        Assert.Equal((400, "scopes"), (problem.Status, problem.Field));
        await IssueAsync(api, 201, $$"""{"scopes":["read:runs:{{new string('a', 256)}}","read:tags:{{new string('b', 3700)}}"]}""");
    }

    [Fact]
    public async Task A_read_is_told_when_its_token_expires_and_goes_on_with_another_where_it_was()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "0\n1\n2\n", Api.Lines);
        var (token, events, lines) = await ReadUntilExpiredAsync(run);

        Assert.True(TimeProvider.System.GetUtcNow() >= token.ExpiresAt, "The read ended before its token did.");
        Assert.Equal(new SseEvent(null, "token-expired", "{\"nextIndex\":3,\"reason\":\"expired\"}"), events[^1]);
        Assert.Contains("{\"event\":\"token-expired\",\"nextIndex\":3,\"reason\":\"expired\"}", lines, StringComparison.Ordinal);
        Assert.Equal(401, await ReadAsync(api, run, "s", token.Token));

        await api.AppendAsync(run, "s", "3");
        await api.CompleteAsync(run);
        var next = await IssueAsync(api, 201, $$"""{"scopes":["read:runs:{{run}}"]}""");
        using var again = await api.OpenSseAsync(run, "s", "", ("Authorization", $"Bearer {next.Token}"), ("Last-Event-ID", events.Last(e => e.Id is not null).Id));
        var all = events.Concat(await again.RestAsync()).Where(e => e.Id is not null).Select(e => (e.Id, e.Data));
        Assert.Equal([("0", "0"), ("1", "1"), ("2", "2"), ("3", "3")], all);
    }

    [Fact]
    public async Task A_body_that_lasts_longer_than_its_token_is_cut_off_with_a_receipt()
    {
        var run = await api.RegisterAsync();
        var token = await IssueAsync(api, 201, $$"""{"scopes":["append:runs:{{run}}"],"expiresInSeconds":10}"""); // Within which its two lines are to be stored.
        await using var body = await RawRequest.PostLinesAsync(server.Process, Api.StreamPath(run, "s"), Api.Producer("p", 0), token.Token);
        await body.WriteChunkAsync("1\n2\n");

        var answer = await body.ReadUntilAsync("\"nextSequence\":2}");

        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"unauthorized\"", answer, StringComparison.Ordinal);
        Assert.Equal(["1", "2"], (await api.PageAsync(run, "s")).Data);
    }

    [Fact]
    public async Task A_revoked_token_ends_its_reads_on_every_server_within_a_second()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Api.Cancellation);
        await using var postgres = TestPostgres.IsPresent ? await TestPostgres.StartAsync(Api.Cancellation) : null;
        using var shared = new TempFolder("revocation");
        var options = new ServerProcessOptions
        {
            Nats = broker.Url,
            Registry = postgres is null ? null : await postgres.CreateDatabaseAsync(Api.Cancellation),
            DataDirectory = shared.FullPath,
        };
        await using var first = await ServerProcess.StartAsync(options, Api.Cancellation);
        await using var second = await ServerProcess.StartAsync(options, Api.Cancellation);
        using var here = new Api(first.CreateClient());
        using var there = new Api(second.CreateClient());
        var run = await here.RegisterAsync();
        await here.AppendAsync(run, "s", "0");
        var scopes = $$"""{"scopes":["read:runs:{{run}}"]}""";
        var (one, another) = (await IssueAsync(here, 201, scopes), await IssueAsync(here, 201, scopes));
        var signed = PublicToken.Sign(first.SecretKey, [$"read:runs:{run}"]);
        using var readHere = await here.OpenSseAsync(run, "s", "", ("Authorization", $"Bearer {one.Token}"));
        using var readThere = await there.OpenSseAsync(run, "s", "", ("Authorization", $"Bearer {one.Token}"));
        using var anotherThere = await there.OpenSseAsync(run, "s", "", ("Authorization", $"Bearer {another.Token}"));
        using var signedThere = await there.OpenSseAsync(run, "s", "", ("Authorization", $"Bearer {signed}"));

        var began = Stopwatch.GetTimestamp();
        using (var revoked = await here.SendAsync(HttpMethod.Delete, $"/api/v1/tokens/{one.Id}")) Assert.Equal(204, (int)revoked.StatusCode);
        Assert.Equal(401, await ReadAsync(here, run, "s", one.Token));
        var last = new SseEvent(null, "token-expired", "{\"nextIndex\":1,\"reason\":\"revoked\"}");
        Assert.Equal(last, (await readHere.RestAsync())[^1]);
        Assert.Equal(last, (await readThere.RestAsync())[^1]);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20), "It took longer than a busy machine explains.");
        Assert.Equal((401, 200), (await ReadAsync(there, run, "s", one.Token), await ReadAsync(there, run, "s", another.Token)));

        using (var all = await there.SendAsync(HttpMethod.Post, "/api/v1/tokens/revoke-all")) Assert.Equal(200, (int)all.StatusCode);
        Assert.Equal(last, (await anotherThere.RestAsync())[^1]);
        Assert.Equal(last, (await signedThere.RestAsync())[^1]);
        Assert.Equal((401, 401), (await ReadAsync(there, run, "s", another.Token), await ReadAsync(there, run, "s", signed)));
        var fresh = await IssueAsync(there, 201, scopes);
        Assert.Equal(200, await ReadAsync(there, run, "s", fresh.Token));

        await first.StopAsync(Api.Cancellation);
        await first.StartAgainAsync(Api.Cancellation);
        using var restarted = new Api(first.CreateClient());
        Assert.Equal((401, 401, 200), (await ReadAsync(restarted, run, "s", one.Token), await ReadAsync(restarted, run, "s", signed), await ReadAsync(restarted, run, "s", fresh.Token)));
    }

    [Fact]
    public async Task Only_an_id_that_was_issued_can_be_revoked()
    {
        foreach (var id in (string[])["x", "tok_%2f", "tok_zz_00112233445566778899aabbccddeeff"])
        {
            var problem = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Delete, $"/api/v1/tokens/{id}"));
            Assert.Equal((404, "not_found"), (problem.Status, problem.Code));
        }
    }

    /// <summary>Reads events and lines with a token that ends shortly, and not before both have been given what there is, however busy the machine is.</summary>
    private async Task<(TokenInfo Token, List<SseEvent> Events, string Lines)> ReadUntilExpiredAsync(string run)
    {
        for (var seconds = 2; ; seconds *= 2)
        {
            Assert.True(seconds < 100, "The reads have ended again and again before they had begun.");
            var token = await IssueAsync(api, 201, $$"""{"scopes":["read:runs:{{run}}"],"expiresInSeconds":{{seconds}}}""");
            var credential = ("Authorization", $"Bearer {token.Token}");
            var asked = api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: [("Accept", Api.Lines), credential]);
            using var opened = await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: [("Accept", "text/event-stream"), credential]);
            using var lines = await asked;
            if (opened.StatusCode == HttpStatusCode.Unauthorized || lines.StatusCode == HttpStatusCode.Unauthorized) continue;
            using var reader = await SseReader.OfAsync(opened);
            var text = await lines.Content.ReadAsStringAsync(Api.Cancellation);
            var events = await reader.RestAsync();
            if (events.Any(one => one.Id == "2") && text.Contains("\"index\":2", StringComparison.Ordinal)) return (token, events, text);
        }
    }

    private static async Task<TokenInfo> IssueAsync(Api at, int status, string body)
    {
        var response = await at.SendAsync(HttpMethod.Post, "/api/v1/tokens", body);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        return await Api.ReadAsync(response, NativeJson.Default.TokenInfo);
    }

    private static async Task<int> ReadAsync(Api at, string run, string key, string token)
    {
        using var response = await at.SendAsync(HttpMethod.Get, Api.StreamPath(run, key), headers: [("Accept", Api.Json), ("Authorization", $"Bearer {token}")]);
        return (int)response.StatusCode;
    }
}
