using System.Net;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class PageAccessTests(SharedServer server) : IDisposable
{
    private const string Origin = "https://app.example";

    // What a browser was seen to ask for.
    private const string Asked =
        "accept,authorization,content-type,timeout-seconds,trigger-version,x-trigger-api-version,x-trigger-client,x-trigger-realtime-streams-version,x-trigger-source,last-event-id";

    private readonly Api api = new(server.Process);

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData("GET", "/realtime/v1/streams/run/out")]
    [InlineData("GET", "/realtime/v1/streams/run/input/in")]
    [InlineData("POST", "/realtime/v1/streams/run/input/in")]
    [InlineData("GET", "/realtime/v1/runs/run")]
    [InlineData("GET", "/api/v3/runs/run")]
    [InlineData("POST", "/api/v1/tasks/task/trigger")]
    public async Task A_preflight_needs_no_credential_and_gets_what_it_asks_for(string method, string path)
    {
        using var answer = await PreflightAsync(api, method, path, Origin);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal(Asked, Header(answer, "Access-Control-Allow-Headers"));
        Assert.Equal(method, Header(answer, "Access-Control-Allow-Methods"));
        Assert.Equal("300", Header(answer, "Access-Control-Max-Age"));
    }

    [Fact]
    public async Task Every_answer_may_be_read_by_the_page_whatever_its_status()
    {
        var run = await api.RegisterAsync();
        (string Path, string Credential, HttpStatusCode Status)[] requests =
        [
            ($"/realtime/v1/streams/{run}/out", $"Bearer {server.Process.SecretKey}", HttpStatusCode.OK),
            ($"/realtime/v1/streams/{run}/out", "", HttpStatusCode.Unauthorized),
            ($"/realtime/v1/streams/{run}/out", PublicToken.Bearer(server.Process.SecretKey, []), HttpStatusCode.Forbidden),
            ($"/realtime/v1/streams/{Api.NewRun()}/out", $"Bearer {server.Process.SecretKey}", HttpStatusCode.NotFound),
            ("/realtime/v1/streams/self/out", $"Bearer {server.Process.SecretKey}", HttpStatusCode.BadRequest),
        ];
        foreach (var (path, credential, status) in requests)
        {
            using var answer = await api.SendAsync(HttpMethod.Get, path, null, "Authorization", credential, "Origin", Origin);
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal("*", Header(answer, "Access-Control-Allow-Origin"));
            Assert.Equal("*", Header(answer, "Access-Control-Expose-Headers"));
            Assert.Null(Header(answer, "Access-Control-Allow-Credentials"));
        }
    }

    [Theory]
    [InlineData("PUT", "/realtime/v1/streams/{run}/self/out")]
    [InlineData("POST", "/realtime/v1/streams/{run}/self/out")]
    [InlineData("POST", "/realtime/v1/streams/{run}/self/out/append")]
    [InlineData("POST", "/api/v1/auth/jwt/claims")]
    public async Task Routes_for_backends_are_closed_to_pages(string method, string path)
    {
        var url = path.Replace("{run}", await api.RegisterAsync(), StringComparison.Ordinal);
        using var preflight = await PreflightAsync(api, method, url, Origin);
        using var answer = await api.SendAsync(new HttpMethod(method), url, method == "POST" ? "1" : null, "Origin", Origin);

        Assert.Null(Header(preflight, "Access-Control-Allow-Origin"));
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Null(Header(answer, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task With_a_list_of_origins_only_those_may_call()
    {
        await using var listing = await ServerProcess.StartAsync(
            new ServerProcessOptions { Settings = new Dictionary<string, string> { ["RealtimeStreams__AllowedOrigins"] = $"{Origin}/" } },
            TestContext.Current.CancellationToken);
        using var there = new Api(listing);

        using var allowed = await PreflightAsync(there, "GET", "/realtime/v1/streams/run/out", Origin);
        using var other = await PreflightAsync(there, "GET", "/realtime/v1/streams/run/out", "https://other.example");
        using var error = await there.SendAsync(HttpMethod.Get, "/realtime/v1/streams/run/out", null, "Authorization", "", "Origin", Origin);

        Assert.Equal(Origin, Header(allowed, "Access-Control-Allow-Origin"));
        Assert.Null(Header(other, "Access-Control-Allow-Origin"));
        Assert.Equal(Origin, Header(error, "Access-Control-Allow-Origin"));
    }

    private static Task<HttpResponseMessage> PreflightAsync(Api api, string method, string path, string origin) =>
        api.SendAsync(
            HttpMethod.Options, path, null, "Authorization", "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", Asked);

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
