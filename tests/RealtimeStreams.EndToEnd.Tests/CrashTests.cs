using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>kill -9 in the middle of four pipes and four reads.</summary>
public sealed class CrashTests
{
    private const int Pipes = 4, Chunks = 600;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killing_the_broker_loses_and_doubles_nothing_and_all_go_on()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var server = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url }, Cancelled);
        await SurviveAsync(server, async () =>
        {
            broker.Kill();
            await broker.StartAgainAsync(Cancelled);
        });
    }

    [Fact]
    public async Task Killing_the_server_loses_and_doubles_nothing_and_all_go_on()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var server = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url }, Cancelled);
        await SurviveAsync(server, async () =>
        {
            server.Kill();
            await server.StartAgainAsync(Cancelled);
        });
    }

    [Fact]
    public async Task Killing_a_server_with_everything_embedded_loses_and_doubles_nothing_and_all_go_on()
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: Cancelled);
        await SurviveAsync(server, async () =>
        {
            server.Kill();
            await server.StartAgainAsync(Cancelled);
        });
    }

    [Fact]
    public async Task Killing_each_broker_of_a_cluster_in_turn_loses_and_doubles_nothing_and_all_go_on()
    {
        await using var cluster = await TestCluster.StartAsync(cancellationToken: Cancelled);
        await using var server = await ServerProcess.StartAsync(
            new ServerProcessOptions { Nats = cluster.Url, Settings = new Dictionary<string, string> { ["RealtimeStreams__Replicas"] = "3" } }, Cancelled);
        var killed = 0;
        await SurviveAsync(server, async () =>
        {
            var node = cluster.Nodes[killed++];
            node.Kill();
            await node.StartAgainAsync(Cancelled);
            await cluster.WaitUntilFormedAsync(Cancelled);
        });
    }

    /// <summary>Pipes and reads four streams, crashes when a quarter, a half and three quarters have been read, and checks the logs.</summary>
    private static async Task SurviveAsync(ServerProcess server, Func<Task> crash)
    {
        using var client = Traffic.ClientOf(server);
        var runs = new List<string>();
        for (var i = 0; i < Pipes; i++) runs.Add((await client.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id);

        // Chunks behind a mark wait for the crash before it, so that every crash falls into the middle of all pipes.
        var crashes = Enumerable.Range(0, 3).Select(_ => new TaskCompletionSource()).ToList();
        var reached = Enumerable.Range(0, 3).Select(_ => new CountdownEvent(Pipes)).ToList();
        Task GateAsync(int number) => number % (Chunks / 4) == 20 && number > Chunks / 4 ? crashes[(number / (Chunks / 4)) - 1].Task : Task.CompletedTask;
        void Seen(long index)
        {
            if (index > 0 && index % (Chunks / 4) == 0 && index < Chunks) reached[(int)(index / (Chunks / 4)) - 1].Signal();
        }

        var reads = runs.Select(run => Traffic.ReadToEndAsync(client, run, seen: Seen, cancellationToken: Cancelled)).ToList();
        var pipes = runs
            .Select(run => client.Streams.Pipe(
                Traffic.Stream, Traffic.NumberAsync(run, Chunks, gate: GateAsync, cancellationToken: Cancelled), new PipeOptions { Target = run, CloseWhenDone = true }, Cancelled))
            .ToList();
        for (var i = 0; i < crashes.Count; i++)
        {
            var all = reached[i];
            await Task.Run(() => all.Wait(Cancelled), Cancelled); // The readers signal it from where they are.
            var crashed = crash();
            crashes[i].SetResult();
            await crashed;
        }

        for (var i = 0; i < Pipes; i++)
        {
            Assert.Equal(Chunks, (await pipes[i].WaitUntilCompleteAsync(Cancelled)).Chunks);
            var log = await reads[i];
            Traffic.AssertComplete(log, [runs[i]], Chunks);
            Assert.Equal(log, await Traffic.ReadToEndAsync(client, runs[i], cancellationToken: Cancelled));
        }
        foreach (var all in reached) all.Dispose();
    }
}
