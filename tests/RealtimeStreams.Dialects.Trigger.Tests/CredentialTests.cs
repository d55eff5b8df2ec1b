using System.Net;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class CredentialTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    private static readonly (string Method, string Path)[] ForPages =
    [
        ("GET", "/realtime/v1/streams/{run}/out"),
        ("GET", "/realtime/v1/streams/{run}/input/in"),
        ("POST", "/realtime/v1/streams/{run}/input/in"),
        ("GET", "/realtime/v1/runs/{run}"),
        ("GET", "/api/v3/runs/{run}"),
        ("POST", "/api/v1/tasks/report/trigger"),
    ];

    private static readonly (string Method, string Path)[] ForBackends =
    [
        ("PUT", "/realtime/v1/streams/{run}/self/out"),
        ("POST", "/realtime/v1/streams/{run}/self/out"),
        ("HEAD", "/realtime/v1/streams/{run}/self/out"),
        ("POST", "/realtime/v1/streams/{run}/self/out/append"),
        ("POST", "/api/v1/auth/jwt/claims"),
    ];

    // Takes tokens too, but not from pages.
    private static readonly (string Method, string Path)[] ForBoth = [("POST", "/api/v2/runs/{run}/cancel")];

    public static TheoryData<string, string> Backends => new(ForBackends.Select(route => (route.Method, route.Path)));

    public static TheoryData<string, string> Routes => new(ForPages.Concat(ForBackends).Concat(ForBoth).Select(route => (route.Method, route.Path)));

    private string Key => server.Process.SecretKey;

    public void Dispose() => api.Dispose();

    [Theory, MemberData(nameof(Routes))]
    public async Task No_route_answers_without_a_valid_credential(string method, string path)
    {
        var run = await api.RegisterAsync();
        string[] all = [$"read:runs:{run}", "read:runs", "write:inputStreams", "admin", "*:all"];
        string[] credentials =
        [
            "", "Bearer", "Bearer garbage", "Bearer a.b.c", $"Basic {Key}", $"Bearer {Key}x",
            PublicToken.Bearer("another key of another server", all),
            PublicToken.Bearer(Key, all, claims => claims["exp"] = TimeProvider.System.GetUtcNow().AddSeconds(-1).ToUnixTimeSeconds()),
            PublicToken.Bearer(Key, all, claims => claims.Remove("exp")),
            PublicToken.Bearer(Key, all, claims => claims["sub"] = "another"),
            PublicToken.Bearer(Key, all, claims => claims["iss"] = "https://id.example"),
            PublicToken.Bearer(Key, all, claims => claims["aud"] = "https://api.example"),
            PublicToken.Bearer(Key, all, claims => claims["pub"] = false),
            PublicToken.Bearer(Key, all, header: """{"alg":"none"}"""),
            PublicToken.Bearer(Key, all)[..^2],
        ];

        foreach (var credential in credentials)
        {
            using var answer = await api.SendAsync(new HttpMethod(method), path.Replace("{run}", run, StringComparison.Ordinal), Body(method), "Authorization", credential);
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{answer.StatusCode} for {credential}");
            if (method != "HEAD") await Api.RefusedAsync(HttpStatusCode.Unauthorized, answer);
        }
    }

    [Theory, MemberData(nameof(Backends))]
    public async Task A_public_token_is_no_credential_for_a_backend(string method, string path)
    {
        var run = await api.RegisterAsync();

        using var answer = await api.SendAsync(
            new HttpMethod(method), path.Replace("{run}", run, StringComparison.Ordinal), Body(method), "Authorization", PublicToken.Bearer(Key, ["admin", "*:all", $"read:runs:{run}"]));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory, MemberData(nameof(Routes))]
    public async Task The_secret_key_opens_every_route(string method, string path)
    {
        var run = await api.RegisterAsync();

        using var answer = await api.SendAsync(new HttpMethod(method), path.Replace("{run}", run, StringComparison.Ordinal), Body(method));

        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
    }

    [Theory]
    [InlineData("read:runs:{run}", true)]
    [InlineData("read:runs", true)]
    [InlineData("read:tags:user:1", true)]
    [InlineData("read:tasks:report", true)]
    [InlineData("read:all", true)]
    [InlineData("*:runs:{run}", true)]
    [InlineData("admin", true)]
    [InlineData("read:runs:{other}", false)]
    [InlineData("read:tags:user:2", false)]
    [InlineData("read:tasks:other", false)]
    [InlineData("read:batch:b", false)]
    [InlineData("write:runs:{run}", false)]
    [InlineData("write:inputStreams:{run}", false)]
    [InlineData("read", false)]
    [InlineData(null, false)]
    public async Task A_token_reads_what_its_scopes_name(string? scope, bool opens)
    {
        var run = await api.RegisterAsync(new { tags = new[] { "user:1", "team" }, taskId = "report" });
        var other = await api.RegisterAsync();
        var token = PublicToken.Bearer(Key, scope is null ? [] : [scope.Replace("{run}", run, StringComparison.Ordinal).Replace("{other}", other, StringComparison.Ordinal)]);

        foreach (var path in (string[])[$"/realtime/v1/streams/{run}/out", $"/realtime/v1/streams/{run}/input/in"])
        {
            using var answer = await api.SendAsync(HttpMethod.Get, path, null, "Authorization", token);
            Assert.Equal(opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
            if (opens) continue;
            Assert.Equal(
                """{"error":"Unauthorized","code":"unauthorized","param":"access_token","type":"authorization"}""",
                await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("write:runs:{run}", true)]
    [InlineData("write:runs", true)]
    [InlineData("cancel:runs:{run}", true)]
    [InlineData("cancel:tags:team", true)]
    [InlineData("cancel:tasks:report", true)]
    [InlineData("admin", true)]
    [InlineData("write:runs:run_other", false)]
    [InlineData("write:tags:team", false)]
    [InlineData("read:runs:{run}", false)]
    [InlineData("write:inputStreams:{run}", false)]
    public async Task A_token_cancels_where_its_scopes_say(string scope, bool opens)
    {
        var run = await api.RegisterAsync(new { tags = new[] { "team" }, taskId = "report" });
        var token = PublicToken.Bearer(Key, [scope.Replace("{run}", run, StringComparison.Ordinal)]);

        using var answer = await api.SendAsync(HttpMethod.Post, $"/api/v2/runs/{run}/cancel", null, "Authorization", token);

        Assert.Equal(opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        using var receipt = await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/stop");
        Assert.Equal(opens ? HttpStatusCode.OK : HttpStatusCode.NoContent, receipt.StatusCode);
    }

    [Theory]
    [InlineData("write:inputStreams:{run}", true)]
    [InlineData("write:inputStreams", true)]
    [InlineData("write:all", true)]
    [InlineData("admin", true)]
    [InlineData("read:runs:{run}", false)]
    [InlineData("write:inputStreams:run_other", false)]
    [InlineData("read:inputStreams:{run}", false)]
    public async Task A_token_sends_where_its_scopes_say(string scope, bool opens)
    {
        var run = await api.RegisterAsync();
        var token = PublicToken.Bearer(Key, [scope.Replace("{run}", run, StringComparison.Ordinal)]);

        using var answer = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{run}/input/in", """{"data":1}""", "Authorization", token);

        Assert.Equal(opens ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("read:runs:{run}", HttpStatusCode.NotFound)]
    [InlineData("read:runs", HttpStatusCode.NotFound)]
    [InlineData("read:runs:run_x", HttpStatusCode.Forbidden)]
    [InlineData("read:tags:user:1", HttpStatusCode.Forbidden)]
    [InlineData("write:inputStreams:{run}", HttpStatusCode.Forbidden)]
    public async Task Whether_there_is_a_run_is_told_only_to_a_token_that_may_read_it(string scope, HttpStatusCode status)
    {
        var run = Api.NewRun();
        var token = PublicToken.Bearer(Key, [scope.Replace("{run}", run, StringComparison.Ordinal)]);

        await api.RefusedAsync(status, HttpMethod.Get, $"/realtime/v1/streams/{run}/out", null, "Authorization", token);
    }

    [Fact]
    public async Task A_read_whose_token_expires_is_cut_off_and_told_why_when_it_comes_back()
    {
        var run = await api.RegisterAsync();
        var token = PublicToken.Bearer(Key, [$"read:runs:{run}"], claims => claims["exp"] = TimeProvider.System.GetUtcNow().AddSeconds(6).ToUnixTimeSeconds());
        using var reading = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/streams/{run}/out", null, "Authorization", token);
        Assert.Equal(HttpStatusCode.OK, reading.StatusCode);

        // Not a clean end, which would be that of the stream.
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await using var body = await reading.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await body.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        });

        await api.RefusedAsync(HttpStatusCode.Unauthorized, HttpMethod.Get, $"/realtime/v1/streams/{run}/out", null, "Authorization", token);
    }

    [Fact]
    public async Task The_claims_name_the_environment()
    {
        using var answer = await api.SendAsync(HttpMethod.Post, "/api/v1/auth/jwt/claims");

        Assert.Equal("""{"sub":"default","pub":true}""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static string? Body(string method) => method == "POST" ? """{"data":1}""" : null;
}
