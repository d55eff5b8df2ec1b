using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Every native route with every kind of credential. A route that is not in the table fails the first test.</summary>
public sealed class NativeAccessTests(SharedServer server) : IDisposable
{
    private const string Append = "write:runs:{run} append:runs:{run} append:streams:{run}/s write:tags:team *:runs:{run} admin";

    /// <summary>Method, path, body, the scopes of which each opens the route, and scopes about the same run that do not.</summary>
    private static readonly Dictionary<string, (string Method, string Path, string? Body, string Opens, string Refused)> table = new()
    {
        ["registerRun"] = ("POST", "/api/v1/runs", "{}", "", "admin *:all trigger:tasks"),
        ["listRuns"] = ("GET", "/api/v1/runs", null, "", "admin *:all read:runs"),
        ["inspectRun"] = ("GET", "/api/v1/runs/{run}", null, "read:runs:{run} read:runs read:tasks:report read:tags:team read:all *:runs:{run} admin", "write:runs:{run} read:streams:{run}/s cancel:runs"),
        ["completeRun"] = ("POST", "/api/v1/runs/{run}/complete", """{"outcome":"cancelled"}""", "cancel:runs:{run} cancel:tags:team cancel:tasks:report *:all admin", "read:runs:{run} write:runs:{run} append:streams:{run}/s"),
        ["claimRun"] = ("POST", "/api/v1/runs/claim", """{"tasks":["nobodys"],"worker":"w"}""", "", "admin *:all"),
        ["renewClaim"] = ("POST", "/api/v1/runs/{run}/renew", """{"worker":"w","attempt":1}""", "", "admin *:all write:runs:{run}"),
        ["stopRun"] = ("POST", "/api/v1/runs/{run}/stop", """{"reason":"enough"}""", "cancel:runs:{run} cancel:tags:team cancel:tasks:report cancel:runs admin", "read:runs:{run} write:runs:{run} append:streams:{run}/s input:runs:{run}"),
        ["tellStop"] = ("GET", "/api/v1/runs/{run}/stop", null, "read:runs:{run} cancel:runs:{run} write:runs:{run} read:tags:team admin", "read:streams:{run}/s append:streams:{run}/s input:runs:{run}"),
        ["seeStop"] = ("POST", "/api/v1/runs/{run}/stop/seen", """{"worker":"w"}""", "write:runs:{run} write:tags:team admin", "read:runs:{run} cancel:runs:{run} append:runs:{run}"),
        ["eraseRun"] = ("DELETE", "/api/v1/runs/{run}", null, "", "admin *:all write:runs:{run} cancel:runs:{run}"),
        ["tellErasure"] = ("GET", "/api/v1/erasures/erasure_of_nothing", null, "", "admin *:all read:runs"),
        ["listStreams"] = ("GET", "/api/v1/runs/{run}/streams", null, "read:runs:{run} read:tags:team admin", "write:runs:{run} read:streams:{run}/s"),
        ["appendChunks"] = ("POST", "/api/v1/runs/{run}/streams/s", "1", Append, "read:runs:{run} append:streams:{run}/t input:runs:{run} write:inputStreams:{run}"),
        ["closeStream"] = ("POST", "/api/v1/runs/{run}/streams/s/close", null, "write:runs:{run} write:streams:{run}/s admin", "read:runs:{run} append:runs:{run} cancel:runs:{run}"),
        ["readChunks"] = ("GET", "/api/v1/runs/{run}/streams/s?limit=1", null, "read:runs:{run} read:streams:{run}/s read:tasks:report read:tags:team admin", "write:runs:{run} read:streams:{run}/t read:inputStreams:{run}"),
        ["tellTail"] = ("HEAD", "/api/v1/runs/{run}/streams/s", null, "read:runs:{run} append:streams:{run}/s write:tags:team", "cancel:runs:{run} append:streams:{run}/t"),
        ["sendInput"] = ("POST", "/api/v1/runs/{run}/inputs/in", "1", "input:runs:{run} input:tags:team write:inputStreams:{run} append:streams:{run}/$input:in admin", "read:runs:{run} write:runs:{run} append:runs:{run} cancel:runs:{run}"),
        ["readInput"] = ("GET", "/api/v1/runs/{run}/inputs/in?limit=1", null, "read:runs:{run} read:streams:{run}/$input:in read:tags:team admin", "input:runs:{run} write:inputStreams:{run} read:streams:{run}/s"),
        ["tellInput"] = ("HEAD", "/api/v1/runs/{run}/inputs/in", null, "read:runs:{run} input:runs:{run} write:inputStreams:{run} append:streams:{run}/$input:in", "write:runs:{run} append:runs:{run} cancel:runs:{run}"),
        ["issueToken"] = ("POST", "/api/v1/tokens", """{"scopes":["read:runs"]}""", "", "admin *:all"),
        ["revokeToken"] = ("DELETE", "/api/v1/tokens/tok_1_00112233445566778899aabbccddeeff", null, "", "admin *:all"),
        ["revokeAllTokens"] = ("POST", "/api/v1/tokens/revoke-all", null, "", "admin *:all"),
    };

    private readonly Api api = new(server.Process.CreateClient());
    private readonly HttpClient bare = new() { BaseAddress = server.Process.Address };

    public static TheoryData<string> Routes => [.. table.Keys];

    private string Key => server.Process.SecretKey;

    public void Dispose()
    {
        api.Dispose();
        bare.Dispose();
    }

    [Fact]
    public async Task Every_route_is_in_the_table()
    {
        using var response = await api.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Api.Cancellation));

        var served = document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Where(method => method.Value.ValueKind == JsonValueKind.Object && method.Value.TryGetProperty("operationId", out _)))
            .Select(method => method.Value.GetProperty("operationId").GetString()!);

        Assert.Equal(table.Keys.Order(StringComparer.Ordinal), served.Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task No_route_answers_without_a_valid_credential(string route)
    {
        var run = await NewRunAsync();
        var (method, path, _, _, _) = table[route];
        string[] all = ["admin", "*:all", $"*:runs:{run}"];
        var now = TimeProvider.System.GetUtcNow();
        string?[] credentials =
        [
            null, "Bearer", "Bearer garbage", "Bearer a.b.c", $"Basic {Key}", $"Bearer {Key}x", $"Bearer {Key[..^1]}",
            "Bearer " + PublicToken.Sign("the key of another server", all),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["sub"] = "another"),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims.Remove("exp")),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["exp"] = now.AddSeconds(-1).ToUnixTimeSeconds()),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["nbf"] = now.AddYears(1).ToUnixTimeSeconds()),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["iat"] = now.AddYears(1).ToUnixTimeSeconds()),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["iss"] = "https://id.example"),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["aud"] = "https://api.example"),
            "Bearer " + PublicToken.Sign(Key, all, claims => claims["pub"] = false),
            "Bearer " + PublicToken.Sign(Key, all, header: """{"alg":"none"}"""),
            "Bearer " + PublicToken.Sign(Key, all, header: """{"alg":"RS256"}"""),
            "Bearer " + PublicToken.Sign(Key, all, header: """{"alg":"none"}""").Split('.')[0] + "." + PublicToken.Sign(Key, all).Split('.')[1] + ".",
            "Bearer " + PublicToken.Sign(Key, all)[..^2],
            "Bearer " + PublicToken.Tamper(PublicToken.Sign(Key, ["read:runs:other"]), "read:runs:other", "admin"),
        ];

        foreach (var credential in credentials)
        {
            using var answer = await SendAsync(route, path, run, credential);
            Assert.True((int)answer.StatusCode == 401, $"{answer.StatusCode} for {credential}");
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
            if (method != "HEAD") Assert.Equal("unauthorized", (await Api.ReadProblemAsync(answer)).Code);
        }
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task The_secret_key_opens_every_route(string route)
    {
        if (route == "revokeAllTokens") return; // It has a server of its own in the tests of revocation.
        using var answer = await SendAsync(route, table[route].Path, await NewRunAsync(), $"Bearer {Key}");

        Assert.True(IsOpened(route, answer), $"{answer.StatusCode}");
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task A_token_opens_what_its_scopes_say(string route)
    {
        foreach (var scope in table[route].Opens.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            using var answer = await SendAsync(route, table[route].Path, await NewRunAsync(), run => Token(scope, run));
            Assert.True(IsOpened(route, answer), $"{answer.StatusCode} with {scope}");
        }
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task A_token_that_may_know_of_the_run_is_told_that_something_is_forbidden(string route)
    {
        foreach (var scope in table[route].Refused.Split(' '))
        {
            var run = await NewRunAsync();
            using var answer = await SendAsync(route, table[route].Path, run, name => Token(scope, name));
            Assert.True((int)answer.StatusCode == 403, $"{answer.StatusCode} with {scope}");
            if (answer.RequestMessage!.Method != HttpMethod.Head) Assert.Equal("forbidden", (await Api.ReadProblemAsync(answer)).Code);
        }
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task A_run_that_a_token_is_not_about_looks_like_one_that_is_not_there(string route)
    {
        var (method, path, _, opens, _) = table[route];
        if (!path.Contains("{run}", StringComparison.Ordinal) || opens.Length == 0) return;
        var (there, missing) = (await NewRunAsync(), Api.NewId());
        foreach (var scope in (string[])["read:runs:other", "*:runs:other", "*:tags:other", "*:tasks:other", "*:streams:other/s", "*:batch:b"])
        {
            var bearer = "Bearer " + PublicToken.Sign(Key, [scope]);
            using var found = await SendAsync(route, path, there, bearer);
            using var notFound = await SendAsync(route, path, missing, bearer);
            Assert.True((int)found.StatusCode == 404 && (int)notFound.StatusCode == 404, $"{found.StatusCode} and {notFound.StatusCode} with {scope}");
            if (method == "HEAD") continue;
            Assert.Equal(
                (await notFound.Content.ReadAsStringAsync(Api.Cancellation)).Replace(missing, "x", StringComparison.Ordinal),
                (await found.Content.ReadAsStringAsync(Api.Cancellation)).Replace(there, "x", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_run_that_was_asked_for_as_a_parent_is_not_named_to_whom_it_does_not_concern()
    {
        var parent = await NewRunAsync();
        var child = await api.RegisterAsync(parent);
        async Task<(int, string)> AskAsync(string own, string scope)
        {
            using var answer = await SendAsync("appendChunks", "/api/v1/runs/parent/streams/s", "", Token(scope, parent), (NativeHeaders.Run, own));
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Api.Cancellation));
        }

        var (allowed, _) = await AskAsync(child, "append:runs:{run}");
        var (foreign, text) = await AskAsync(child, "append:runs:other");
        var missing = Api.NewId();

        Assert.Equal((200, 404), (allowed, foreign));
        Assert.DoesNotContain(parent, text, StringComparison.Ordinal);
        Assert.Equal((await AskAsync(missing, "append:runs:other")).Item2.Replace(missing, child, StringComparison.Ordinal), text);
    }

    [Theory]
    [InlineData("input:runs:{run}", 200)]
    [InlineData("write:inputStreams:{run}", 200)]
    [InlineData("write:inputStreams", 200)]
    [InlineData("append:streams:{run}/$input:in", 200)]
    [InlineData("admin", 200)]
    [InlineData("write:runs:{run}", 403)]
    [InlineData("append:runs:{run}", 403)]
    [InlineData("write:inputStreams:other", 404)]
    public async Task An_input_stream_is_for_those_who_may_send(string scope, int status)
    {
        using var answer = await SendAsync("appendChunks", "/api/v1/runs/{run}/streams/%24input%3Ain", await NewRunAsync(), run => Token(scope, run));

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("""{"outcome":"completed"}""")]
    [InlineData("""{"outcome":"failed"}""")]
    [InlineData("""{"outcome":"cancelled","output":1}""")]
    [InlineData("{}")]
    public async Task A_token_only_cancels(string body)
    {
        var run = await NewRunAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/runs/{run}/complete") { Content = new StringContent(body, null, Api.Json) };
        request.Headers.TryAddWithoutValidation("Authorization", Token("cancel:runs:{run}", run));
        var problem = await Api.ReadProblemAsync(await bare.SendAsync(request, Api.Cancellation));

        Assert.Equal((403, "forbidden"), (problem.Status, problem.Code));
    }

    // The run was not claimed, so that there is no claim to renew; and nobody has asked it to stop, so that there is nothing to have seen.
    private static bool IsOpened(string route, HttpResponseMessage answer) =>
        answer.IsSuccessStatusCode || (route is "renewClaim" or "seeStop" && (int)answer.StatusCode == 409) || (route is "tellErasure" && (int)answer.StatusCode == 404);

    private async Task<string> NewRunAsync()
    {
        var id = Api.NewId();
        using var response = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{id}}","taskId":"report","tags":["team"]}""");
        Assert.Equal(201, (int)response.StatusCode);
        await api.AppendAsync(id, "s", "0");
        return id;
    }

    private string Token(string scope, string run) => "Bearer " + PublicToken.Sign(Key, [scope.Replace("{run}", run, StringComparison.Ordinal)]);

    private Task<HttpResponseMessage> SendAsync(string route, string path, string run, Func<string, string> credential) =>
        SendAsync(route, path, run, credential(run));

    private async Task<HttpResponseMessage> SendAsync(
        string route, string path, string run, string? credential, params (string Name, string Value)[] headers)
    {
        var (method, _, body, _, _) = table[route];
        using var request = new HttpRequestMessage(new HttpMethod(method), path.Replace("{run}", run, StringComparison.Ordinal));
        if (body is not null) request.Content = new StringContent(body, null, Api.Json);
        if (credential is not null) request.Headers.TryAddWithoutValidation("Authorization", credential);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await bare.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Api.Cancellation);
    }
}
