using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Workers, pipes, appends, reads and stops of the C# client over networks that fail at random.</summary>
public sealed class WorkerFaultTests(SharedServer shared, ITestOutputHelper output)
{
    private const int Runs = 12, Chunks = 240;

    /// <summary>That a task failed, that its end could not be told, that completing failed: nothing a network that heals may lead to.</summary>
    private static readonly int[] unwanted = [3007, 3012, 3015];

    private static readonly RealtimeStream<string> Reports = RealtimeStream.Define<string>("reports");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_connections_do_each_run_has_one_end_each_acknowledged_chunk_is_there_once_and_in_order_and_no_worker_dies()
    {
        foreach (var seed in Sweep.Seeds(20261123)) await SurviveAsync(seed);
    }

    private async Task SurviveAsync(int seed)
    {
        output.WriteLine($"Seed {seed}");
        var task = Api.NewId("task");
        var begun = new ConcurrentBag<(string Run, uint Attempt)>();
        var reported = new ConcurrentBag<string>();
        var piped = new ConcurrentBag<(string Run, uint Attempt)>();
        await using var first = new BadNetwork(shared.Process.Port, seed);
        await using var second = new BadNetwork(shared.Process.Port, seed + 1);
        await using var one = await StartAsync("one", first);
        await using var two = await StartAsync("two", second);
        using var client = Traffic.ClientOf(shared.Process);
        using var badClient = Traffic.ClientOf(shared.Process, first.Proxy.Port);

        var parent = (await client.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id;
        List<string> runs = [];
        for (var i = 0; i < Runs; i++) runs.Add((await badClient.Runs.TriggerAsync(task, i, new TriggerOptions { ParentRunId = parent }, Cancelled)).Id);
        var reads = runs.ConvertAll(run => ReadAsync(badClient, run));
        await Until.TrueAsync(() => "The run that is to be stopped has not begun.", () => begun.Any(one => one.Run == runs[1]), TimeSpan.FromMinutes(1));
        var asked = await badClient.Runs.StopAsync(runs[1], "enough", Cancelled);
        var ending = Task.WhenAll(runs.Select(run => Traffic.WaitForEndAsync(client, run, TimeSpan.FromMinutes(3))));
        // What goes on when the faults end is finished without them: a test that found no time under load has an end, too.
        await Task.WhenAny(ending, Task.Delay(TimeSpan.FromSeconds(12), TimeProvider.System, Cancelled));
        await first.HealAsync();
        await second.HealAsync();
        var ends = await ending;

        Assert.Equal(begun.Count, begun.Distinct().Count()); // Nobody but its worker begins an attempt, and that once.
        for (var i = 0; i < Runs; i++)
        {
            var end = ends[i];
            var log = await reads[i];
            var chunks = log.ConvertAll(Parse);
            // Attempts follow each other, as each shuts out the one before, and each attempt's chunks are dense.
            Assert.Equal(chunks.OrderBy(chunk => chunk.Attempt).ThenBy(chunk => chunk.Number), chunks);
            foreach (var attempt in chunks.GroupBy(chunk => chunk.Attempt)) Assert.Equal(Enumerable.Range(0, attempt.Count()), attempt.Select(chunk => chunk.Number));
            foreach (var (_, attempt) in piped.Where(whole => whole.Run == end.Id)) Assert.Equal(Chunks, chunks.Count(chunk => chunk.Attempt == attempt));
            Assert.Equal(log, await ReadAsync(client, end.Id));
            if (i == 1 && end.Status == RunStatus.Cancelled) continue;
            Assert.Equal((RunStatus.Completed, end.Attempt), (end.Status, end.Output?.GetInt32()));
            Assert.Contains((end.Id, (uint)end.Attempt!), piped);
        }
        var stopped = await client.Runs.WaitForStopAsync(runs[1], cancellationToken: Cancelled);
        Assert.Equal((asked.RequestedAt, ends[1].Status.ToString()), (stopped.RequestedAt, stopped.Outcome.ToString()));

        await client.Runs.CompleteAsync(parent, cancellationToken: Cancelled);
        var reports = await client.Streams.ReadAsync(Reports, parent, cancellationToken: Cancelled).ToListAsync(Cancelled);
        Assert.Equal(reports.Count, reports.Distinct().Count());
        Assert.Empty(reported.Except(reports));

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{begun.Count} attempts; {first.Proxy.Accepted} + {second.Proxy.Accepted} connections, {first.Proxy.Refused} + {second.Proxy.Refused} reset, {first.Proxy.Cuts} + {second.Proxy.Cuts} cut"));
        foreach (var host in (WorkerHost[])[one, two])
        {
            foreach (var line in host.Log.Where(line => line.Level >= LogLevel.Error)) output.WriteLine(line.ToString());
            Assert.True(host.IsRunning, "A worker's host has ended.");
            Assert.DoesNotContain(host.Log, line => unwanted.Contains(line.Id.Id) || line.Level == LogLevel.Critical);
        }
        Assert.True(first.Proxy.Cuts > 0 && second.Proxy.Cuts > 0, "No connection was cut.");

        Task<WorkerHost> StartAsync(string name, BadNetwork network) => WorkerHost.StartAsync(
            shared.Process,
            name,
            services => services.AddRealtimeStreamsTask<int, uint>(task, async (run, number, cancellationToken) =>
            {
                begun.Add((run.RunId, run.Attempt));
                var report = $"{run.RunId}/{run.Attempt}";
                await Reports.AppendAsync(report, new AppendOptions { Target = StreamTarget.Parent }, cancellationToken);
                reported.Add(report);
                var source = Traffic.NumberAsync(
                    run.Attempt.ToString(CultureInfo.InvariantCulture), Chunks, gate: i => PauseAsync(number, i, cancellationToken), cancellationToken: cancellationToken);
                await Traffic.Stream.Pipe(source, new PipeOptions { ProducerId = "task" }, cancellationToken).Completion;
                piped.Add((run.RunId, run.Attempt));
                return run.Attempt;
            }),
            lease: TimeSpan.FromSeconds(4),
            port: network.Proxy.Port,
            maxRuns: 3);
    }

    /// <summary>A source that gives in bursts, and some that are silent for so long that their writers have to show that they are there.</summary>
    private static Task PauseAsync(int run, int chunk, CancellationToken cancellationToken)
    {
        var pause = chunk == Chunks / 2 && run % 4 == 0 ? 2500 : chunk % 20 == 0 ? 50 : 0;
        return pause == 0 ? Task.CompletedTask : Task.Delay(TimeSpan.FromMilliseconds(pause), TimeProvider.System, cancellationToken);
    }

    /// <summary>A stream to its end. The run that is stopped may not have begun its stream by then.</summary>
    private static async Task<List<string>> ReadAsync(RealtimeStreamsClient client, string run)
    {
        try
        {
            return await Traffic.ReadToEndAsync(client, run, cancellationToken: Cancelled);
        }
        catch (RealtimeStreamsException missing) when (missing.Code == ErrorCode.StreamNotFound.Code)
        {
            return [];
        }
    }

    private static (int Attempt, int Number) Parse(string chunk)
    {
        var colon = chunk.IndexOf(':', StringComparison.Ordinal);
        return (int.Parse(chunk.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture), int.Parse(chunk.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture));
    }
}
