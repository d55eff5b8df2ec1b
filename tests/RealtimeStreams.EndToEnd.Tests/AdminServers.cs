using System.Net.Http.Headers;
using System.Text.Json;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The tests that work with environments of their own: they share three servers, which the first of them starts.</summary>
[CollectionDefinition]
public sealed class AdminServersCollection : ICollectionFixture<AdminServers>;

/// <summary>Two servers with an operator key on one registry and one broker, and one without on a registry of its own.</summary>
public sealed class AdminServers : IAsyncLifetime
{
    public const string OperatorKey = "operator-0123456789-abcdefghijkl";
    public const string AllowedOrigin = "https://app.example";

    private readonly TempFolder folder = new("admin");
    private TestBroker? broker;
    private ServerProcess? first;
    private ServerProcess? second;
    private ServerProcess? without;

    public string Nats => broker!.Url;

    public ServerProcess First => first!;

    public ServerProcess Second => second!;

    public ServerProcess Without => without!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync();
        var options = new ServerProcessOptions
        {
            Nats = broker.Url,
            DataDirectory = folder.FullPath,
            Settings = new Dictionary<string, string> { ["RealtimeStreams__OperatorKey"] = OperatorKey, ["RealtimeStreams__AllowedOrigins"] = AllowedOrigin },
        };
        first = await ServerProcess.StartAsync(options);
        second = await ServerProcess.StartAsync(options);
        without = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in (ServerProcess?[])[first, second, without])
            if (server is not null) await server.DisposeAsync();
        if (broker is not null) await broker.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>Makes an environment, of a new id unless told one.</summary>
    public async Task<MadeSecretKey> MakeAsync(string? id = null)
    {
        using var client = new HttpClient { BaseAddress = First.Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", OperatorKey) } };
        using var body = new StringContent(
            JsonSerializer.Serialize(new CreateEnvironment(id ?? $"tenant/ä {Guid.NewGuid():N}"), NativeJson.Default.CreateEnvironment), null, "application/json");
        using var answer = await client.PostAsync(new Uri("api/v1/admin/environments", UriKind.Relative), body);
        Assert.Equal(201, (int)answer.StatusCode);
        return JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), NativeJson.Default.MadeSecretKey)!;
    }
}
