using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>A task that takes inputs, by the C# SDK and a real server.</summary>
public sealed class InputTests(SharedServer shared)
{
    private static readonly RealtimeStream<int> numbers = RealtimeStream.DefineInput<int>("numbers");
    private readonly string task = Api.NewId("task");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_takes_each_input_once_also_when_the_server_is_killed_meanwhile()
    {
        const int Count = 60;
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var server = await ServerProcess.StartAsync(new ServerProcessOptions { Nats = broker.Url }, Cancelled);
        using var client = Traffic.ClientOf(server);
        await using var worker = await WorkerHost.StartAsync(server, "w", services => services.AddRealtimeStreamsTask<int, List<int>>(task, async (run, _, cancellationToken) =>
        {
            List<int> taken = [];
            // In two pieces: the second one goes on where the first one was left.
            await foreach (var number in run.Inputs(numbers).WithCancellation(cancellationToken))
            {
                taken.Add(number);
                if (taken.Count == Count / 3) break;
            }
            await foreach (var item in run.Inputs<int>("numbers").Items.WithCancellation(cancellationToken))
            {
                Assert.Equal(taken.Count, item.Index);
                taken.Add(item.Data);
                await run.Streams.AppendAsync("taken", item.Data, cancellationToken: cancellationToken);
                if (taken.Count == Count) break;
            }
            return taken;
        }));
        var run = await client.Runs.TriggerAsync(task, 0, cancellationToken: Cancelled);

        for (var i = 0; i < Count; i++)
        {
            if (i is Count / 2 or Count * 3 / 4)
            {
                server.Kill();
                var restart = server.StartAgainAsync(Cancelled);
                await client.Runs.SendInputAsync(run.Id, numbers, i, cancellationToken: Cancelled); // It tries until the server is there.
                await restart;
            }
            else
            {
                await client.Runs.SendInputAsync(run.Id, "numbers", i, cancellationToken: Cancelled);
            }
        }

        RunInfo? ended = null;
        await Until.TrueAsync(
            () => $"The run is {ended?.Status}.", async () => (ended = await client.Runs.GetAsync(run.Id, Cancelled)).Status != RunStatus.Open, TimeSpan.FromMinutes(1));
        Assert.Equal((RunStatus.Completed, null), (ended!.Status, ended.Error));
        Assert.Equal(Enumerable.Range(0, Count), ended.Output!.Value.EnumerateArray().Select(number => number.GetInt32()));
        var refused = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Runs.SendInputAsync(run.Id, numbers, 1, cancellationToken: Cancelled));
        Assert.Equal("run_completed", refused.Code);
    }

    [Fact]
    public async Task A_value_that_is_sent_again_under_its_key_is_taken_once_and_a_start_index_is_where_a_run_begins()
    {
        using var client = Traffic.ClientOf(shared.Process);
        var run = await client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        foreach (var number in (int[])[5, 5, 6, 7]) await client.Runs.SendInputAsync(run.Id, numbers, number, $"n{number}", Cancelled);
        await using var scope = client.Runs.Enter(run);

        Assert.Equal([6, 7], await scope.Context.Inputs(numbers, startIndex: 1).Take(2).ToListAsync(Cancelled));
        Assert.Equal([5], await scope.Context.Inputs(numbers, startIndex: 0).Take(1).ToListAsync(Cancelled));
        Assert.Equal([6], await scope.Context.Inputs(numbers).Take(1).ToListAsync(Cancelled));
        Assert.Throws<InvalidOperationException>(() => scope.Context.Inputs<string>("numbers"));
        Assert.Throws<ArgumentException>(() => scope.Context.Inputs(RealtimeStream.Define<int>("numbers")));
        Assert.Throws<FormatException>(() => RealtimeStream.DefineInput<int>(new string('n', 250)));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Runs.SendInputAsync(run.Id, RealtimeStream.Define<int>("numbers"), 1, cancellationToken: Cancelled));
    }
}
