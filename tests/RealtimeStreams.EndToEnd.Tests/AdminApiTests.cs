using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The admin API of two servers on one registry: every route with every credential, and what the keys that it makes open and do not open.</summary>
[Collection<AdminServersCollection>]
public sealed class AdminApiTests(AdminServers servers)
{
    private const string Root = "/api/v1/admin/environments";

    public static TheoryData<string, string, int> Routes => new()
    {
        { "GET", Root, 200 },
        { "POST", Root, 400 }, // No id.
        { "GET", Root + "/default", 200 },
        { "PATCH", Root + "/nowhere", 404 },
        { "GET", Root + "/default/keys", 200 },
        { "POST", Root + "/nowhere/keys", 404 },
        { "POST", Root + "/default/keys/key_x/rotate", 404 },
        { "DELETE", Root + "/default/keys/key_x", 404 },
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Only_the_operator_key_opens_a_route(string method, string path, int opened)
    {
        var (before, _) = await AskAsync("GET", Root, AdminServers.OperatorKey);
        string?[] closed =
        [
            null, "Bearer garbage", "Bearer ", "Basic " + AdminServers.OperatorKey, AdminServers.OperatorKey, $"Bearer {AdminServers.OperatorKey}x",
            $"Bearer {AdminServers.OperatorKey[..^1]}", $"Bearer {servers.First.SecretKey}", "Bearer " + (await servers.MakeAsync()).SecretKey,
        ];
        foreach (var credential in closed)
        {
            var (status, body) = await AskAsync(method, path, credential, raw: true);
            Assert.True(status == 401, $"{method} {path} with {credential}: {status}");
            Assert.Equal("unauthorized", JsonSerializer.Deserialize(body, NativeJson.Default.Problem)!.Code);
        }
        Assert.Equal(200, before);
        Assert.Equal(opened, (await AskAsync(method, path, AdminServers.OperatorKey)).Status);
    }

    [Fact]
    public async Task The_operator_key_opens_nothing_else()
    {
        Assert.Equal(401, (await AskAsync("GET", "/api/v1/runs", AdminServers.OperatorKey)).Status);
        Assert.Equal(401, (await AskAsync("GET", "/v1/streams", AdminServers.OperatorKey)).Status);
        Assert.Equal(401, (await AskAsync("GET", "/realtime/v1/streams/run_1/default", AdminServers.OperatorKey)).Status);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Without_an_operator_key_it_is_as_if_there_were_no_such_api(string method, string path, int opened)
    {
        Assert.NotEqual(0, opened);
        foreach (var credential in (string?[])[null, AdminServers.OperatorKey, servers.Without.SecretKey])
        {
            var (status, body) = await AskAsync(method, path, credential, server: servers.Without);
            Assert.Equal(404, status);
            Assert.Equal("not_found", JsonSerializer.Deserialize(body, NativeJson.Default.Problem)!.Code);
        }
    }

    [Fact]
    public async Task A_key_is_made_rotated_and_revoked_and_the_other_server_follows_within_a_second()
    {
        var made = await servers.MakeAsync();
        var keys = $"{Root}/{Uri.EscapeDataString(made.Environment)}/keys";
        Assert.Equal(200, await OpensAsync(servers.First, made.SecretKey));
        Assert.Equal(200, await OpensAsync(servers.Second, made.SecretKey));

        var rotated = await DoneAsync(201, "POST", $"{keys}/{made.Key.Id}/rotate", """{"overlapInSeconds":600}""", NativeJson.Default.MadeSecretKey);
        Assert.Equal((made.Key.Id, true), (rotated.Replaced!.Id, rotated.Replaced.Valid));
        Assert.Equal(200, await OpensAsync(servers.Second, rotated.SecretKey));
        Assert.Equal(200, await OpensAsync(servers.Second, made.SecretKey));

        var revoked = await DoneAsync(200, "DELETE", $"{keys}/{made.Key.Id}", null, NativeJson.Default.SecretKeyInfo);
        var since = TimeProvider.System.GetTimestamp();
        Assert.Equal(401, await OpensAsync(servers.First, made.SecretKey));
        await Until.TrueAsync(() => "The other server still takes the key.", async () => await OpensAsync(servers.Second, made.SecretKey) == 401);
        TestContext.Current.TestOutputHelper?.WriteLine($"The other server refused it after {TimeProvider.System.GetElapsedTime(since).TotalMilliseconds:0} ms.");
        Assert.False(revoked.Valid);

        var listed = await DoneAsync(200, "GET", keys, null, NativeJson.Default.SecretKeyList);
        Assert.Equal([false, true], listed.Keys.Select(key => key.Valid));
        var (_, text) = await AskAsync("GET", keys, AdminServers.OperatorKey);
        foreach (var secret in (string[])[made.SecretKey, rotated.SecretKey, AdminServers.OperatorKey])
        {
            Assert.DoesNotContain(secret[9..], text, StringComparison.Ordinal);
            foreach (var server in (ServerProcess[])[servers.First, servers.Second])
                Assert.DoesNotContain(server.Log, line => line.Contains(secret[9..], StringComparison.Ordinal));
        }
        await Until.TrueAsync( // What it printed comes through a pipe.
            () => "The log does not tell who revoked the key.",
            () => servers.First.Log.Any(line => line.Contains($"{made.Key.Id} of {made.Environment} was revoked by operator key", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_is_set_for_an_environment_is_told_and_taken_back_and_kept_when_it_cannot_be()
    {
        var made = await servers.MakeAsync();
        var path = $"{Root}/{Uri.EscapeDataString(made.Environment)}";
        Assert.Empty((await DoneAsync(200, "GET", path, null, NativeJson.Default.EnvironmentInfo)).Settings);

        var set = await DoneAsync(200, "PATCH", path, """{"retentionInSeconds":3600}""", NativeJson.Default.EnvironmentInfo);
        Assert.Equal((made.Environment, 1, 3600), (set.Id, set.ValidKeys, set.Settings["retentionInSeconds"]));
        foreach (var (body, field) in ((string, string?)[])[
            ("""{"retentionInSeconds":59}""", "retentionInSeconds"), ("""{"retentionInSeconds":"1 hour"}""", "retentionInSeconds"),
            ("""{"retentionInSeconds":3600.5}""", "retentionInSeconds"), ("""{"retentionInSeconds":1e99}""", "retentionInSeconds"), ("""{"colour":"blue"}""", null)])
        {
            var (status, text) = await AskAsync("PATCH", path, AdminServers.OperatorKey, body);
            var problem = JsonSerializer.Deserialize(text, NativeJson.Default.Problem)!;
            Assert.Equal((400, "invalid_request", field), (status, problem.Code, problem.Field));
            Assert.Contains("retentionInSeconds", problem.Detail, StringComparison.Ordinal);
        }
        Assert.Equal(3600, (await DoneAsync(200, "GET", path, null, NativeJson.Default.EnvironmentInfo)).Settings["retentionInSeconds"]);

        Assert.Empty((await DoneAsync(200, "PATCH", path, """{"retentionInSeconds":null}""", NativeJson.Default.EnvironmentInfo)).Settings);
        await Until.TrueAsync( // What it printed comes through a pipe.
            () => "The log does not tell who changed the settings.",
            () => servers.First.Log.Any(line => line.Contains(
                $"Settings of {made.Environment} were changed by operator key: retentionInSeconds default → 3600", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("with a blank 0123456789")]
    [InlineData(AdminServers.OperatorKey, AdminServers.OperatorKey)]
    public async Task An_operator_key_that_cannot_be_one_stops_the_start_and_is_not_told(string operatorKey, string? secretKey = null)
    {
        var options = new ServerProcessOptions { Nats = servers.Nats, Settings = new Dictionary<string, string> { ["RealtimeStreams__OperatorKey"] = operatorKey } };
        if (secretKey is not null)
            options = new ServerProcessOptions { Nats = options.Nats, Settings = options.Settings, SecretKey = secretKey };

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ServerProcess.StartAsync(options, Cancelled));

        Assert.Contains("RealtimeStreams:OperatorKey", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(operatorKey, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_web_page_may_call_it_though_it_may_call_the_rest()
    {
        Assert.True(await IsAllowedAsync("/api/v1/runs"));
        Assert.False(await IsAllowedAsync(Root));

        async Task<bool> IsAllowedAsync(string path)
        {
            using var api = new Api(new HttpClient { BaseAddress = servers.First.Address });
            using var preflight = await api.SendAsync(
                HttpMethod.Options, path, headers: [("Origin", AdminServers.AllowedOrigin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization")]);
            using var answer = await api.SendAsync(HttpMethod.Get, path, headers: [("Origin", AdminServers.AllowedOrigin), ("Authorization", $"Bearer {AdminServers.OperatorKey}")]);
            var allowed = preflight.Headers.Contains("Access-Control-Allow-Origin");
            Assert.Equal(allowed, answer.Headers.Contains("Access-Control-Allow-Origin"));
            return allowed;
        }
    }

    [Theory]
    [InlineData("POST", "", """{"id":""}""", 400, "invalid_request")]
    [InlineData("POST", "", """{"id":"a\nb"}""", 400, "invalid_request")]
    [InlineData("POST", "", "{", 400, "invalid_json")]
    [InlineData("POST", "", """{"id":"default"}""", 409, "environment_exists")]
    [InlineData("POST", "/default/keys/key_x/rotate", """{"overlapInSeconds":-1}""", 400, "invalid_request")]
    [InlineData("POST", "/default/keys/key_x/rotate", """{"overlapInSeconds":7776001}""", 400, "invalid_request")]
    [InlineData("GET", "/a%0Ab/keys", null, 400, "invalid_request")]
    [InlineData("GET", "/%ff/keys", null, 400, "invalid_request")]
    [InlineData("DELETE", "/default/keys/%2e%2e%2f", null, 404, "key_not_found")]
    [InlineData("PATCH", "/default", "[1]", 400, "invalid_request")]
    [InlineData("PATCH", "/default", "{", 400, "invalid_json")]
    [InlineData("PATCH", "/nowhere", """{"retentionInSeconds":60}""", 404, "environment_not_found")]
    [InlineData("GET", "/nowhere", null, 404, "environment_not_found")]
    [InlineData("PUT", "", null, 405, "method_not_allowed")]
    public async Task Bad_input_is_told_and_changes_nothing(string method, string path, string? body, int status, string code)
    {
        var (answered, text) = await AskAsync(method, Root + path, AdminServers.OperatorKey, body);

        Assert.Equal(status, answered);
        Assert.Equal(code, JsonSerializer.Deserialize(text, NativeJson.Default.Problem)!.Code);
    }

    [Fact]
    public async Task The_configured_key_is_not_changed_here()
    {
        var listed = await DoneAsync(200, "GET", Root + "/default/keys", null, NativeJson.Default.SecretKeyList);
        var configured = Assert.Single(listed.Keys, key => key.Origin == "configured");

        var (status, text) = await AskAsync("DELETE", $"{Root}/default/keys/{configured.Id}", AdminServers.OperatorKey);

        Assert.Equal(409, status);
        Assert.Equal("key_is_configured", JsonSerializer.Deserialize(text, NativeJson.Default.Problem)!.Code);
        Assert.Equal(200, await OpensAsync(servers.First, servers.First.SecretKey));
    }

    private static async Task<int> OpensAsync(ServerProcess server, string key) => (await AskAsync(server, "GET", "/api/v1/runs", $"Bearer {key}", null)).Status;

    private static async Task<(int Status, string Body)> AskAsync(ServerProcess server, string method, string path, string? authorization, string? body)
    {
        using var api = new Api(new HttpClient { BaseAddress = server.Address });
        using var answer = await api.SendAsync(new HttpMethod(method), path, body, headers: ("Authorization", authorization));
        if (path.StartsWith(Root, StringComparison.Ordinal)) Assert.True(answer.Headers.CacheControl?.NoStore);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancelled));
    }

    private Task<(int Status, string Body)> AskAsync(
        string method, string path, string? credential, string? body = null, bool raw = false, ServerProcess? server = null) =>
        AskAsync(server ?? servers.First, method, path, raw || credential is null ? credential : $"Bearer {credential}", body);

    private async Task<T> DoneAsync<T>(int status, string method, string path, string? body, JsonTypeInfo<T> contract)
    {
        var (answered, text) = await AskAsync(method, path, AdminServers.OperatorKey, body);
        Assert.True(answered == status, text);
        return JsonSerializer.Deserialize(text, contract)!;
    }
}
