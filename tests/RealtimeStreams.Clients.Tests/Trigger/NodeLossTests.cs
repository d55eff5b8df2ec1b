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

    [Fact]
    public async Task Pipes_and_reads_go_on_at_another_server_when_theirs_is_killed()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await using var proxy = new TcpProxy(first.Port);

        await LoseAsync(first, second, proxy, [StreamsVersion.V1, StreamsVersion.V2], () =>
        {
            proxy.TargetPort = second.Port;
            first.Kill();
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task Pipes_and_reads_go_on_at_another_server_when_theirs_is_stopped()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        await using var proxy = new TcpProxy(first.Port);

        await LoseAsync(first, second, proxy, [StreamsVersion.V1, StreamsVersion.V2], async () =>
        {
            proxy.TargetPort = second.Port;
            await first.StopAsync(Cancelled);
        });
    }

    /// <summary>The writer of v2 runs gives up after half a second without a server, which is no time for a start.</summary>
    [Fact]
    public async Task Pipes_of_v1_runs_and_all_reads_survive_a_restart()
    {
        await using var server = await StartAsync();
        await using var proxy = new TcpProxy(server.Port);

        await LoseAsync(server, server, proxy, [StreamsVersion.V1], async () =>
        {
            server.Kill();
            await server.StartAgainAsync(Cancelled);
        });
    }

    private static async Task LoseAsync(ServerProcess before, ServerProcess after, TcpProxy proxy, StreamsVersion[] versions, Func<Task> lose)
    {
        var traffic = new List<(string Run, Scenario Reader, Scenario Pipe)>();
        try
        {
            using var registering = new Api(before.CreateClient());
            foreach (var version in versions)
            {
                var run = new RegisterRun(Api.NewId(), StreamsVersion: version);
                using var registered = await registering.SendAsync(HttpMethod.Post, "/api/v1/runs", JsonSerializer.Serialize(run, NativeJson.Default.RegisterRun));
                Assert.Equal(201, (int)registered.StatusCode);
                traffic.Add((run.Id!, Start("read", new { run = run.Id, count = Count }, before, proxy), Start("pipe", new { run = run.Id, count = Count, marks = new[] { 150 } }, before, proxy)));
            }
            foreach (var (_, reader, pipe) in traffic)
            {
                await pipe.SaidAsync("mark");
                while ((await reader.SaidAsync("read")).GetInt32() < 149)
                {
                    // All that was written before has been read.
                }
            }

            await lose();
            foreach (var (_, _, pipe) in traffic) pipe.Tell();

            using var native = new Api(after.CreateClient());
            foreach (var (run, reader, pipe) in traffic)
            {
                var result = await pipe.ResultAsync();
                Assert.False(result.GetProperty("outcome").TryGetProperty("error", out _), result.GetRawText());
                Assert.Equal(Enumerable.Range(0, Count), (await reader.ResultAsync()).EnumerateArray().Select(i => i.GetInt32()));
                Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{{\"i\":{i}}}"), (await native.PageAsync(run, "log")).Data);
            }
        }
        finally
        {
            foreach (var (_, reader, pipe) in traffic)
            {
                await reader.DisposeAsync();
                await pipe.DisposeAsync();
            }
        }
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
