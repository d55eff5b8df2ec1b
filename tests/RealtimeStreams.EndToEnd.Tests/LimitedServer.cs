using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A server with an operator key, and another one on the same registry and broker where a test wants it. Each test makes an environment of its own and sets its limits.</summary>
public sealed class LimitedServer : IAsyncLifetime
{
    private const string OperatorKey = "operator-0123456789-abcdefghijkl";

    private readonly TempFolder folder = new("limited");
    private readonly SemaphoreSlim starting = new(1);
    private TestBroker? broker;
    private ServerProcess? process;
    private ServerProcess? another;

    public ServerProcess Process => process!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        process = await StartAsync();
    }

    /// <summary>The other server, started when it is first asked for.</summary>
    public async Task<ServerProcess> GetAnotherAsync()
    {
        await starting.WaitAsync();
        try
        {
            return another ??= await StartAsync();
        }
        finally
        {
            starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in (ServerProcess?[])[process, another])
            if (server is not null) await server.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
        folder.Dispose();
        starting.Dispose();
    }

    /// <summary>Makes an environment; limits are set once what the test needs is there.</summary>
    public async Task<string> MakeEnvironmentAsync(string id)
    {
        var made = await AdministerAsync(HttpMethod.Post, "", JsonSerializer.Serialize(new CreateEnvironment(id), NativeJson.Default.CreateEnvironment), 201);
        return JsonSerializer.Deserialize(made, NativeJson.Default.MadeSecretKey)!.SecretKey;
    }

    /// <summary>Sets limits of an environment; the server counts by them from now on.</summary>
    public Task SetAsync(string environment, string settings) => AdministerAsync(HttpMethod.Patch, $"/{Uri.EscapeDataString(environment)}", settings, 200);

    public HttpClient CreateClient(string credential, ServerProcess? of = null) => new()
    {
        BaseAddress = (of ?? Process).Address,
        Timeout = Timeout.InfiniteTimeSpan,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", credential) },
    };

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(new ServerProcessOptions
    {
        Nats = broker!.Url,
        DataDirectory = folder.FullPath,
        Settings = new Dictionary<string, string>
        {
            ["RealtimeStreams__OperatorKey"] = OperatorKey,
            ["RealtimeStreams__AllowedOrigins"] = SharedServer.AllowedOrigin,
            ["RealtimeStreams__Limits__BodyGrace"] = "00:02:00", // Bodies that a test sends slowly take places for as long as it wants.
        },
    });

    private async Task<string> AdministerAsync(HttpMethod method, string path, string body, int status)
    {
        using var client = CreateClient(OperatorKey);
        using var request = new HttpRequestMessage(method, new Uri("api/v1/admin/environments" + path, UriKind.Relative))
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, text);
        return text;
    }
}
