using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests;

/// <summary>The clients over TLS: HTTP/1.1 for calls and HTTP/2 for sessions on one port, and the Trigger writer sent to that port too.</summary>
public sealed class TlsTests(NodePackages node) : IAsyncLifetime
{
    private readonly TestCertificate certificate = new();
    private ServerProcess? server;

    private ServerProcess Server => server ?? throw new InvalidOperationException("The server was not started.");

    public async ValueTask InitializeAsync()
    {
        node.Require();
        server = await ServerProcess.StartAsync(new ServerProcessOptions { Certificate = certificate }, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        certificate.Dispose();
    }

    [Fact]
    public async Task Calls_sessions_and_pipes_go_over_tls()
    {
        using var api = new Api(Server.CreateClient());
        foreach (var version in new[] { "0.25", "0.27" })
        {
            var name = $"tls/{version}";
            var result = await RunAsync("s2/sessions.mjs", "roundTrip", new { version, basin = S2Names.BasinOf(EnvironmentId.Parse("default")), name });
            Assert.Equal("[\"unary\",\"in a session\"]", result.GetProperty("bodies").GetRawText());
        }

        var run = await api.RegisterAsync();
        var read = await RunAsync("trigger/streams.mjs", "define", new { run });
        Assert.Equal(4, read.GetArrayLength());
        Assert.Equal(4, (await api.PageAsync(run, "steps")).Chunks.Count);
    }

    [Fact]
    public async Task A_page_of_any_origin_reads_where_no_origins_are_listed()
    {
        using var api = new Api(Server.CreateClient());
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "log", "1");

        var accessToken = (await RunAsync("trigger/tokens.mjs", "one", new { run })).GetString();
        var result = await RunAsync("trigger/hook.mjs", "parts", new { run, key = "log", accessToken, count = 1 });

        Assert.Equal("[1]", result.GetProperty("parts").GetRawText());
    }

    private async Task<JsonElement> RunAsync(string script, string name, object parameters)
    {
        var address = Server.SecureAddress!.GetLeftPart(UriPartial.Authority);
        var settings = new Dictionary<string, string>
        {
            ["TRIGGER_API_URL"] = address,
            ["TRIGGER_SECRET_KEY"] = Server.SecretKey,
            ["S2_ACCESS_TOKEN"] = Server.SecretKey,
            ["S2_ACCOUNT_ENDPOINT"] = address,
            ["S2_BASIN_ENDPOINT"] = address,
            ["PAGE"] = "https://any.example/",
            ["NODE_EXTRA_CA_CERTS"] = certificate.Path,
        };
        await using var scenario = Scenario.Start(script, name, JsonSerializer.SerializeToNode(parameters)!, settings);
        return await scenario.ResultAsync();
    }
}
