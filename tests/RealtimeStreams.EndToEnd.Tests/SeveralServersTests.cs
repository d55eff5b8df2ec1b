using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Two servers on one broker and one database, behind connections that are cut at random.</summary>
public sealed class SeveralServersTests(ITestOutputHelper output)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Eight_producers_through_two_servers_and_cut_connections_leave_one_log_that_every_reader_sees()
    {
        const int Producers = 8, Chunks = 400;
        var seed = Environment.TickCount;
        output.WriteLine($"Seed {seed}");

        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var postgres = TestPostgres.IsPresent ? await TestPostgres.StartAsync(Cancelled) : null;
        using var shared = new TempFolder("deployment");
        var options = new ServerProcessOptions
        {
            Nats = broker.Url,
            Registry = postgres is null ? null : await postgres.CreateDatabaseAsync(Cancelled),
            DataDirectory = shared.FullPath,
        };
        await using var first = await ServerProcess.StartAsync(options, Cancelled);
        await using var second = await ServerProcess.StartAsync(options, Cancelled);
        await using var firstProxy = new TcpProxy(first.Port);
        await using var secondProxy = new TcpProxy(second.Port);
        firstProxy.CutRandomly(seed, 500, 20_000);
        secondProxy.CutRandomly(seed + 1, 500, 20_000);

        using var direct = Traffic.ClientOf(first);
        var run = (await direct.Runs.RegisterAsync(new RegisterRun(), Cancelled)).Id;
        using var other = Traffic.ClientOf(second);
        using var cutFirst = Traffic.ClientOf(first, firstProxy.Port);
        using var cutSecond = Traffic.ClientOf(second, secondProxy.Port);

        var live = Traffic.ReadToEndAsync(cutFirst, run, cancellationToken: Cancelled);
        var liveElsewhere = Traffic.ReadToEndAsync(cutSecond, run, cancellationToken: Cancelled);
        var half = new TaskCompletionSource();
        var watched = Traffic.ReadToEndAsync(
            direct, run, seen: index => { if (index == Producers * Chunks / 2) half.TrySetResult(); }, cancellationToken: Cancelled);

        var names = Enumerable.Range(0, Producers).Select(i => $"producer{i}").ToList();
        var pipes = names
            .Select((name, i) => (i % 2 == 0 ? cutFirst : cutSecond).Streams.Pipe(
                Traffic.Stream, Traffic.NumberAsync(name, Chunks, cancellationToken: Cancelled), new PipeOptions { Target = run }, Cancelled))
            .ToList();
        await half.Task.WaitAsync(Cancelled);
        var joinedInTheMiddle = Traffic.ReadToEndAsync(other, run, startIndex: Producers * Chunks / 3, cancellationToken: Cancelled);
        foreach (var pipe in pipes) Assert.Equal(Chunks, (await pipe.WaitUntilCompleteAsync(Cancelled)).Chunks);
        await other.Runs.CompleteAsync(run, cancellationToken: Cancelled);

        var log = await watched;
        Traffic.AssertComplete(log, names, Chunks);
        Assert.Equal(log, await live);
        Assert.Equal(log, await liveElsewhere);
        Assert.Equal(log[(Producers * Chunks / 3)..], await joinedInTheMiddle);
        Assert.Equal(log, await Traffic.ReadToEndAsync(other, run, cancellationToken: Cancelled)); // Late.
        Assert.True(firstProxy.Cuts > 0 && secondProxy.Cuts > 0, "No connection was cut.");
        output.WriteLine($"{firstProxy.Cuts} + {secondProxy.Cuts} connections were cut");
    }
}
