using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.RunRegistry.Tests;

/// <summary>What the contract's parts share: one database a test, and as many servers on it as the test wants.</summary>
public abstract class RegistryContract(TestDatabases databases) : IAsyncLifetime
{
    private readonly TempFolder folder = new("registry");
    private readonly List<TestNode> nodes = [];

    protected static EnvironmentId Environment => TestNode.Environment;

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    protected Dictionary<string, string?> Settings { get; private set; } = [];

    public async ValueTask InitializeAsync() => Settings = await databases.MakeAsync(folder);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected async Task<TestNode> StartNodeAsync(
        TimeProvider? clock = null, Action<Microsoft.Extensions.DependencyInjection.IServiceCollection>? configure = null)
    {
        var node = await TestNode.StartAsync(Settings, clock, configure);
        lock (nodes) nodes.Add(node); // Some tests start several at once.
        return node;
    }

    protected static RunId Id(string id) => RunId.Parse(id);

    protected static StreamAddress Stream(string run, string key) => new(Environment, Id(run), StreamKey.Parse(key));

    protected static RunRegistration Registration(
        string? id = null,
        string? taskId = null,
        string? parent = null,
        string? root = null,
        string[]? tags = null,
        StreamsVersion version = StreamsVersion.V2) =>
        new(
            id is null ? null : Id(id),
            taskId,
            parent is null ? null : Id(parent),
            root is null ? null : Id(root),
            tags ?? [],
            version);

    protected static async Task<Run> RegisterAsync(TestNode node, RunRegistration registration) =>
        Assert.IsType<RegisterOutcome.Registered>(await node.Registry.RegisterAsync(Environment, registration, Cancelled)).Run;

    protected static async Task<Refusal> RefusedAsync(TestNode node, RunRegistration registration) =>
        Assert.IsType<RegisterOutcome.Refused>(await node.Registry.RegisterAsync(Environment, registration, Cancelled)).Refusal;
}
