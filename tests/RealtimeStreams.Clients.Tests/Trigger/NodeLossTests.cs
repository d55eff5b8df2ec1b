using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>Servers come and go under pipes and reads of Trigger's SDK.</summary>
public sealed class NodeLossTests(NodePackages node) : IAsyncLifetime
{
    private const int Count = 300;
    private TestBroker? broker;
    private TempFolder? folder;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        node.Require();
        broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        folder = new TempFolder("nodes");
    }

    public async ValueTask DisposeAsync()
    {
        if (broker is not null) await broker.DisposeAsync();
        folder?.Dispose();
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Pipe_and_read_go_on_at_another_server_when_theirs_is_killed(StreamsVersion version)
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await using var proxy = new TcpProxy(first.Port);

        await LoseAsync(first, second, proxy, version, () =>
        {
            proxy.TargetPort = second.Port;
            first.Kill();
            return Task.CompletedTask;
        });
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Pipe_and_read_go_on_at_another_server_when_theirs_is_stopped(StreamsVersion version)
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await using var proxy = new TcpProxy(first.Port);

        await LoseAsync(first, second, proxy, version, async () =>
        {
            proxy.TargetPort = second.Port;
            await first.StopAsync(Cancelled);
        });
    }

    [Fact]
    public async Task Pipe_and_read_of_a_v1_run_survive_a_restart()
    {
        await using var server = await StartAsync();
        await using var proxy = new TcpProxy(server.Port);

        await LoseAsync(server, server, proxy, StreamsVersion.V1, async () =>
        {
            server.Kill();
            await server.StartAgainAsync(Cancelled);
        });
    }

    private static async Task LoseAsync(ServerProcess before, ServerProcess after, TcpProxy proxy, StreamsVersion version, Func<Task> lose)
    {
        var run = Api.NewId();
        using (var api = new Api(before.CreateClient()))
        using (var registered = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(new RegisterRun(run, StreamsVersion: version), NativeJson.Default.RegisterRun)))
            Assert.Equal(201, (int)registered.StatusCode);
        await using var reader = Start("read", new { run, count = Count }, before, proxy);
        await using var pipe = Start("pipe", new { run, count = Count, marks = new[] { 150 } }, before, proxy);
        await pipe.SaidAsync("mark");
        while ((await reader.SaidAsync("read")).GetInt32() < 149)
        {
            // All that was written before has been read.
        }

        await lose();
        pipe.Tell();

        var result = await pipe.ResultAsync();
        Assert.False(result.GetProperty("outcome").TryGetProperty("error", out _), result.GetRawText());
        Assert.Equal(Enumerable.Range(0, Count), (await reader.ResultAsync()).EnumerateArray().Select(i => i.GetInt32()));
        using var native = new Api(after.CreateClient());
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{{\"i\":{i}}}"), (await native.PageAsync(run, "log")).Data);
    }

    private static Scenario Start(string name, object parameters, ServerProcess server, TcpProxy proxy) =>
        Scenario.Start("trigger/faults.mjs", name, JsonSerializer.SerializeToNode(parameters)!, new Dictionary<string, string>
        {
            ["TRIGGER_API_URL"] = $"http://127.0.0.1:{proxy.Port}",
            ["TRIGGER_SECRET_KEY"] = server.SecretKey,
        });

    private Task<ServerProcess> StartAsync() =>
        ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker!.Url, DataDirectory = folder!.FullPath }, Cancelled);
}
