using System.Net;
using System.Security.Cryptography.X509Certificates;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Headers that every answer has, and which pages may read it, whatever dialect and status.</summary>
public sealed class SecurityHeaderTests(SharedServer shared) : IDisposable
{
    private readonly Api api = new(shared.Process.CreateClient());

    public void Dispose() => api.Dispose();

    [Theory]
    [InlineData("GET", "/api/v1/runs", 200)]
    [InlineData("GET", "/api/v1/runs/missing", 404)]
    [InlineData("GET", "/api/v1/runs/missing/streams/default?startIndex=x", 400)]
    [InlineData("PUT", "/api/v1/runs", 405)]
    [InlineData("GET", "/realtime/v1/streams/missing/default", 404)]
    [InlineData("GET", "/v1/streams", 200)]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("GET", "/nothing", 404)]
    [InlineData("GET", "/health", 200)]
    [InlineData("GET", "/openapi/v1.json", 200)]
    public async Task Every_answer_is_guarded(string method, string path, int status)
    {
        using var answer = await api.SendAsync(new HttpMethod(method), path, headers: ("Origin", SharedServer.AllowedOrigin));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header(answer, "Referrer-Policy"));
        Assert.Equal("same-origin", Header(answer, "Cross-Origin-Resource-Policy"));
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("X-Powered-By"));
        Assert.False(answer.Headers.Contains("Strict-Transport-Security")); // Not in clear text.
    }

    [Theory]
    [InlineData("/api/v1/runs", 200)]
    [InlineData("/api/v1/runs", 401)]
    [InlineData("/api/v1/runs/missing", 404)]
    [InlineData("/realtime/v1/streams/missing/default", 404)]
    [InlineData("/realtime/v1/streams/missing/default", 401)]
    [InlineData("/v1/streams", 200)]
    [InlineData("/v1/streams", 401)]
    public async Task Pages_of_the_list_and_no_others_may_read_answers_and_errors(string path, int status)
    {
        var credential = status == 401 ? "Bearer wrong" : null;
        using var allowed = await api.SendAsync(HttpMethod.Get, path, headers: credential is null ? [("Origin", SharedServer.AllowedOrigin)] : [("Origin", SharedServer.AllowedOrigin), ("Authorization", credential)]);
        using var foreign = await api.SendAsync(HttpMethod.Get, path, headers: credential is null ? [("Origin", "https://evil.example")] : [("Origin", "https://evil.example"), ("Authorization", credential)]);

        Assert.Equal(status, (int)allowed.StatusCode);
        Assert.Equal(SharedServer.AllowedOrigin, Header(allowed, "Access-Control-Allow-Origin"));
        Assert.Equal(status, (int)foreign.StatusCode);
        Assert.False(foreign.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(allowed.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task Over_TLS_browsers_are_told_to_stay_with_it_except_for_this_machine()
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancelled);
        using var certificate = new TestCertificate();
        await using var server = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url, Certificate = certificate }, cancelled);
        using var handler = new SocketsHttpHandler();
        using var root = X509CertificateLoader.LoadCertificateFromFile(certificate.Path);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == root.GetCertHashString();
        using var client = new HttpClient(handler) { BaseAddress = server.SecureAddress };

        foreach (var (host, told) in ((string, bool)[])[("streams.example", true), ("localhost", false)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "health") { Headers = { Host = host } };
            using var answer = await client.SendAsync(request, cancelled);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(told, answer.Headers.Contains("Strict-Transport-Security"));
        }
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : "";
}
