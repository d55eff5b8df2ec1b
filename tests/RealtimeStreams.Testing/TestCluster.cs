using System.Globalization;
using System.Text.Json;

namespace RealtimeStreams.Testing;

/// <summary>Several real nats-servers that form one JetStream cluster. Each can be killed and started again.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan formLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan askAgain = TimeSpan.FromMilliseconds(50);
    private static readonly HttpClient http = new();

    private TestCluster(IReadOnlyList<TestBroker> nodes) => Nodes = nodes;

    /// <summary>The servers.</summary>
    public IReadOnlyList<TestBroker> Nodes { get; }

    /// <summary>The addresses of all servers, comma-separated, as NATS clients take them.</summary>
    public string Url => string.Join(',', Nodes.Select(node => node.Url));

    /// <summary>Starts a cluster and returns once it has a leader and every server is part of it.</summary>
    public static async Task<TestCluster> StartAsync(int nodes = 3, TestBrokerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new TestBrokerOptions();
        var ports = FreePort.Find(3 * nodes);
        var routes = string.Join(", ", Enumerable.Range(0, nodes).Select(node => Invariant($"\"nats://127.0.0.1:{ports[(3 * node) + 2]}\"")));
        var cluster = new TestCluster([.. Enumerable.Range(0, nodes).Select(node => new TestBroker(
            options with
            {
                MoreConfiguration = Invariant(
                    $$"""
                    server_name: "node{{node + 1}}"
                    cluster { name: "test", listen: "127.0.0.1:{{ports[(3 * node) + 2]}}", routes: [ {{routes}} ] }
                    {{options.MoreConfiguration}}
                    """),
            },
            ports[3 * node],
            ports[(3 * node) + 1]))]);
        try
        {
            await Task.WhenAll(cluster.Nodes.Select(node => node.StartAgainAsync(cancellationToken)));
            await cluster.WaitUntilFormedAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until every server says that the cluster has a leader, all members, and that it has caught up; fails after a minute.</summary>
    public async Task WaitUntilFormedAsync(CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(formLimit);
        foreach (var node in Nodes)
        {
            while (!await IsInAsync(node, limit.Token)) await Task.Delay(askAgain, TimeProvider.System, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes) await node.DisposeAsync();
    }

    private async Task<bool> IsInAsync(TestBroker node, CancellationToken cancellationToken)
    {
        using var health = await http.GetAsync(new Uri(node.Monitoring, "healthz"), cancellationToken);
        if (!health.IsSuccessStatusCode) return false;
        using var state = JsonDocument.Parse(await http.GetStringAsync(new Uri(node.Monitoring, "jsz"), cancellationToken));
        return state.RootElement.TryGetProperty("meta_cluster", out var meta)
            && meta.TryGetProperty("leader", out var leader) && leader.GetString() is { Length: > 0 }
            && meta.TryGetProperty("cluster_size", out var size) && size.GetInt32() == Nodes.Count;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
