using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests;

/// <summary>Tests that run scenarios of one script against the shared server and look at the same streams through the native API.</summary>
public abstract class ScenarioTests : IDisposable
{
    private readonly SharedServer shared;
    private readonly string script;

    protected ScenarioTests(SharedServer shared, NodePackages node, string script)
    {
        node.Require();
        this.shared = shared;
        this.script = script;
        Node = node;
        Api = new Api(shared.Process.CreateClient());
    }

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    protected NodePackages Node { get; }

    protected ServerProcess Server => shared.Process;

    private protected Api Api { get; }

    public void Dispose()
    {
        Api.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What points the published clients at the server: what a user would set, and nothing else.</summary>
    /// <param name="server">The server.</param>
    /// <param name="port">Another port, of a proxy in front of it.</param>
    protected static Dictionary<string, string> Settings(ServerProcess server, int? port = null)
    {
        var address = new UriBuilder(server.Address) { Port = port ?? server.Port }.Uri.GetLeftPart(UriPartial.Authority);
        return new Dictionary<string, string>
        {
            ["TRIGGER_API_URL"] = address,
            ["TRIGGER_SECRET_KEY"] = server.SecretKey,
            ["S2_ACCESS_TOKEN"] = server.SecretKey,
            ["S2_ACCOUNT_ENDPOINT"] = address,
            ["S2_BASIN_ENDPOINT"] = address,
        };
    }

    /// <summary>Starts a scenario in which the test will act in the middle.</summary>
    private protected Scenario Start(string name, object parameters, int? port = null, TimeSpan? limit = null, IReadOnlyDictionary<string, string>? settings = null)
    {
        var environment = Settings(shared.Process, port);
        foreach (var (variable, value) in settings ?? new Dictionary<string, string>()) environment[variable] = value;
        return Scenario.Start(script, name, JsonSerializer.SerializeToNode(parameters)!, environment, limit);
    }

    /// <summary>Runs a scenario to its end and returns its result.</summary>
    private protected async Task<JsonElement> RunAsync(
        string name, object parameters, int? port = null, TimeSpan? limit = null, IReadOnlyDictionary<string, string>? settings = null)
    {
        await using var scenario = Start(name, parameters, port, limit, settings);
        return await scenario.ResultAsync();
    }

    /// <summary>Registers a run and returns its id.</summary>
    private protected async Task<string> RegisterAsync(StreamsVersion? version = null, string? parent = null, params string[] tags)
    {
        var run = new RegisterRun(Api.NewId(), ParentRunId: parent, Tags: tags is [] ? null : tags, StreamsVersion: version);
        using var response = await Api.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(run, NativeJson.Default.RegisterRun));
        Assert.Equal(201, (int)response.StatusCode);
        return run.Id!;
    }

    /// <summary>The chunks of a stream as the native API gives them: their JSON, with their indexes checked to be 0, 1, 2 and so on.</summary>
    private protected async Task<List<string>> StoredAsync(string run, string key)
    {
        var page = await Api.PageAsync(run, key);
        Assert.Equal(Enumerable.Range(0, page.Chunks.Count).Select(index => (long)index), page.Chunks.Select(chunk => chunk.Index));
        return [.. page.Data];
    }

    /// <summary>Waits until the stream has so many chunks: whoever writes them has a connection now.</summary>
    private protected async Task ArrivedAsync(string run, string key, int count)
    {
        string? next = null;
        await Until.TrueAsync(() => $"{count} chunks in the stream {key}; its next index was {next}", async () =>
        {
            using var answer = await Api.HeadAsync(run, key);
            next = Api.Header(answer, NativeHeaders.NextIndex);
            return next == $"{count}";
        });
    }

    /// <summary>The elements' JSON texts.</summary>
    private protected static List<string> Texts(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetRawText())];
}
