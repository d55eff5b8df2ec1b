using System.Buffers.Binary;
using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using Xunit.Sdk;

namespace RealtimeStreams.Dialects.S2.Tests.Server;

/// <summary>Tokens for some operations on some streams, as a Trigger.dev server asks for them to hand them to its workers.</summary>
public sealed class AccessTokenTests(S2Server server)
{
    private readonly string prefix = $"org/{Guid.NewGuid():N}/env/dev";

    [Fact]
    public async Task A_worker_with_a_token_of_its_servers_kind_appends_below_the_prefix_by_relative_names()
    {
        using var worker = server.NewCaller(await IssueAsync(Body(ops: ["append", "create-stream", "trim"], auto: true)));
        using var backend = server.NewCaller();

        await worker.AppendTextAsync("/runs/run_1/out", """{"data":1,"id":"a"}""", """{"data":2,"id":"b"}""");
        var trim = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(trim, 1);
        Assert.Equal(200, (await worker.AppendAsync("/runs/run_1/out", Command("trim", trim), ("s2-format", "base64"))).Status);

        var bodies = await backend.BodiesAsync(prefix + "/runs/run_1/out"); // A stream outside of runs: the bodies are as they were written.
        Assert.Equal("""{"data":2,"id":"b"}""", bodies[0]);
        Assert.Equal((403, "permission_denied"), (await worker.AppendAsync("/runs/run_1/out", Command("fence", "me"u8.ToArray()), ("s2-format", "base64"))).Error);
        Assert.Equal((403, "permission_denied"), (await worker.GetAsync(S2Caller.Records("/runs/run_1/out", "?seq_num=0"))).Error);
    }

    [Fact]
    public async Task A_token_reaches_no_stream_beside_its_own()
    {
        using var prefixed = server.NewCaller(await IssueAsync(Body(ops: ["append", "create-stream"])));
        using var exact = server.NewCaller(await IssueAsync(Body(ops: ["append", "create-stream"], exact: prefix + "/one")));

        await prefixed.AppendTextAsync(prefix + "/x", "1");
        await exact.AppendTextAsync(prefix + "/one", "1");
        foreach (var answer in (Answer[])
        [
            await prefixed.AppendAsync("other" + prefix, """{"records":[{}]}"""),
            await prefixed.AppendAsync(prefix[..^1], """{"records":[{}]}"""),
            await exact.AppendAsync(prefix + "/one2", """{"records":[{}]}"""),
            await exact.GetAsync("/v1/streams"),
            await exact.SendAsync(HttpMethod.Post, "/v1/access-tokens", Body(ops: ["append"])),
        ])
        {
            Assert.Equal((403, "permission_denied"), answer.Error);
        }
    }

    [Fact]
    public async Task Without_create_stream_a_token_makes_no_stream()
    {
        using var reader = server.NewCaller(await IssueAsync(Body(read: true)));
        using var backend = server.NewCaller();
        var name = prefix + "/later";

        Assert.Equal((404, "stream_not_found"), (await reader.GetAsync(S2Caller.Records(name, "/tail"))).Error);
        await backend.AppendTextAsync(name, "here");
        Assert.Equal(["here"], await reader.BodiesAsync(name));
        Assert.Equal(200, (await reader.GetAsync(S2Caller.Records(name, "/tail"))).Status);
        Assert.Equal((403, "permission_denied"), (await reader.AppendAsync(name, """{"records":[{}]}""")).Error);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""{"scope":{}}""")]
    [InlineData("""{"id":"a"}""")]
    [InlineData("""{"id":"a","scope":{"ops":["append"],"streams":{"prefix":"x"}}}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"exact":"another-basin"},"ops":["append"],"streams":{"prefix":"x"}}}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["delete-basin"],"streams":{"prefix":"x"}}}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":[],"streams":{"prefix":"x"}}}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"]}}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"prefix":"x","exact":"y"}}}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"exact":"x"}},"auto_prefix_streams":true}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"prefix":"x"}},"expires_at":"2020-01-01T00:00:00Z"}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"prefix":"x"}},"expires_at":"2999-01-01T00:00:00Z"}""")]
    [InlineData("""{"id":"a","scope":{"basins":{"prefix":""},"ops":["append"],"streams":{"prefix":"x"}},"expires_at":"soon"}""")]
    public async Task What_cannot_be_granted_is_refused(string body)
    {
        using var backend = server.NewCaller();
        var answer = await backend.SendAsync(HttpMethod.Post, "/v1/access-tokens", body);
        Assert.Equal(body == "null" ? (400, "bad_json") : (422, "invalid"), answer.Error);
    }

    [Fact]
    public async Task A_token_that_could_not_be_made_is_refused()
    {
        using var backend = server.NewCaller();
        string[] all = ["append", "read", "check-tail", "create-stream", "trim", "fence"];

        // As long as the server's own tokens may be; and shorter than the shortest life.
        var tooLong = await backend.SendAsync(HttpMethod.Post, "/v1/access-tokens", Body(ops: all, its: new string('ü', 256)));
        var fitting = await backend.SendAsync(HttpMethod.Post, "/v1/access-tokens", Body(ops: ["append"], its: new string('ü', 256)));
        var tooShort = await backend.SendAsync(HttpMethod.Post, "/v1/access-tokens", Body(ops: all, until: TimeProvider.System.GetUtcNow().AddSeconds(0.9)));

        Assert.Equal((422, "invalid"), tooLong.Error);
        Assert.Equal(201, fitting.Status);
        Assert.Equal((422, "invalid"), tooShort.Error);
    }

    [Fact]
    public async Task Sessions_end_with_a_terminal_401_when_their_token_expires()
    {
        var name = prefix + "/s";
        var until = TimeProvider.System.GetUtcNow().AddSeconds(10); // By then all three are open.
        using var caller = server.NewCaller(await IssueAsync(Body(ops: ["append", "create-stream"], read: true, until: until)), http2: true);
        await using var append = await caller.OpenAppendAsync(name);
        await append.AppendAsync("kept");
        await append.AckAsync();
        await using var read = await caller.OpenReadAsync(name, "?seq_num=0");
        Assert.Equal(["kept"], (await read.BatchAsync()).Bodies);
        await read.BatchAsync();
        using var events = await caller.OpenEventsAsync(name, "?tail_offset=0");

        var (ofAppend, ofRead) = (await append.TerminalAsync(), await read.TerminalAsync());
        var ofEvents = await events.Content.ReadAsStringAsync(S2Caller.Cancellation);

        Assert.Equal((401, "authn"), (ofAppend.Status, ofAppend.Code));
        Assert.Equal((401, "authn"), (ofRead.Status, ofRead.Code));
        Assert.Contains("event: error\ndata: {\"code\":\"authn\"", ofEvents, StringComparison.Ordinal);
        Assert.Equal((401, "authn"), (await caller.GetAsync(S2Caller.Records(name, "/tail"))).Error);
    }

    [Fact]
    public async Task Sessions_end_with_a_terminal_401_when_their_secret_key_is_revoked()
    {
        using var admin = server.NewCaller(S2Server.OperatorKey);
        var environment = $"revoked-{Guid.NewGuid():N}";
        var made = await admin.SendAsync(HttpMethod.Post, "/api/v1/admin/environments", $$"""{"id":"{{environment}}"}""");
        Assert.True(made.Status == 201, made.Text);
        using var caller = server.NewCaller(made.Json.GetProperty("secretKey").GetString(), http2: true);
        await using var append = await caller.OpenAppendAsync("s");
        await append.AppendAsync("kept");
        await append.AckAsync();
        await using var read = await caller.OpenReadAsync("s", "?seq_num=0");
        Assert.Equal(["kept"], (await read.BatchAsync()).Bodies);
        await read.BatchAsync();

        var key = made.Json.GetProperty("key").GetProperty("id").GetString();
        var revoked = await admin.SendAsync(HttpMethod.Delete, $"/api/v1/admin/environments/{environment}/keys/{key}");
        Assert.True(revoked.Status == 200, revoked.Text);

        var (ofAppend, ofRead) = (await append.TerminalAsync(), await read.TerminalAsync());
        Assert.Equal((401, "authn"), (ofAppend.Status, ofAppend.Code));
        Assert.Equal((401, "authn"), (ofRead.Status, ofRead.Code));
        Assert.Equal((401, "authn"), (await caller.GetAsync(S2Caller.Records("s", "/tail"))).Error);
    }

    [Fact]
    public async Task A_session_whose_acks_nobody_reads_ends_when_its_token_is_revoked()
    {
        var name = prefix + "/s";
        using var backend = server.NewCaller();
        var token = await IssueAsync(Body(ops: ["append", "create-stream"]));
        using var connection = await RawHttp2.ConnectAsync(server.Process, closed: true);
        await connection.PostAsync(1, S2Caller.Records(name), ("authorization", $"Bearer {token}"), ("content-type", "s2s/proto"));
        // The web server keeps 4 KiB of an answer that has no window: a hundred acks.
        await connection.SendDataAsync(1, [.. Enumerable.Repeat(Session.Framed(Session.Input("one").Bytes), 500).SelectMany(bytes => bytes)]);
        await backend.WaitForStallAsync(name, 500);

        var revoked = await backend.SendAsync(HttpMethod.Delete, $"/api/v1/tokens/{IdOf(token)}");
        Assert.True(revoked.Status == 204, revoked.Text);

        // Long before the two minutes for which a reader may stall. There is no window for a terminal frame.
        var reset = await connection.NextAsync(Http2Frame.Reset).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, S2Caller.Cancellation);
        Assert.Equal(1, reset?.Stream);
    }

    private async Task<string> IssueAsync(string body)
    {
        using var backend = server.NewCaller();
        var answer = await backend.SendAsync(HttpMethod.Post, "/v1/access-tokens", body);
        Assert.True(answer.Status == 201, answer.Text);
        return answer.Json.GetProperty("access_token").GetString() ?? throw new XunitException(answer.Text);
    }

    private string Body(string[]? ops = null, bool auto = false, string? exact = null, bool read = false, DateTimeOffset? until = null, string? its = null) => JsonSerializer.Serialize(new
    {
        id = Guid.NewGuid().ToString(),
        scope = new
        {
            basins = new { exact = S2Server.Basin },
            ops = ops ?? [],
            op_groups = new { stream = new { read } },
            streams = exact is null ? (object)new { prefix = its ?? prefix } : new { exact },
        },
        expires_at = until ?? TimeProvider.System.GetUtcNow().AddHours(1),
        auto_prefix_streams = auto,
    });

    /// <summary>The id, by which a token is revoked: the claim jti.</summary>
    private static string IdOf(string token)
    {
        using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]));
        return claims.RootElement.GetProperty("jti").GetString() ?? throw new XunitException("The token has no id.");
    }

    private static string Command(string name, byte[] body) => JsonSerializer.Serialize(new
    {
        records = new[] { new { headers = new[] { new[] { "", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(name)) } }, body = Convert.ToBase64String(body) } },
    });
}
