using System.Text;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests.Faults;

/// <summary>Producers that write one stream through any of several nodes, each chunk until it is acknowledged, as the contract tells clients to: with the same sequence.</summary>
internal sealed class Producers
{
    private readonly LogNode[] nodes;
    private readonly StreamAddress stream;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task<int>[] running;
    private int acknowledged;
    private int retries;

    private Producers(LogNode[] nodes, StreamAddress stream, int count, int seed)
    {
        this.nodes = nodes;
        this.stream = stream;
        running = [.. Enumerable.Range(0, count).Select(number => Task.Run(() => WriteAsync(number, new Random(seed + number))))];
    }

    /// <summary>How many chunks have been acknowledged.</summary>
    public int Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>How often a producer was told to try again.</summary>
    public int Retries => Volatile.Read(ref retries);

    public static Producers Start(LogNode[] nodes, StreamAddress stream, int count, int seed) => new(nodes, stream, count, seed);

    /// <summary>Waits until so many more chunks have been acknowledged.</summary>
    public Task AdvanceAsync(int chunks)
    {
        var from = Acknowledged;
        return Until.TrueAsync(
            () => $"Only {Acknowledged - from} of {chunks} more chunks were acknowledged, after {Retries} retries.",
            () => running.Any(task => task.IsFaulted) || Acknowledged - from >= chunks,
            TimeSpan.FromMinutes(2)); // Longer than the faults last on a busy machine.
    }

    /// <summary>Lets each finish what it has begun, ends the stream, and checks that the log holds exactly what was acknowledged, in each producer's order.</summary>
    /// <returns>The log.</returns>
    public async Task<List<string>> FinishAsync()
    {
        await stopping.CancelAsync();
        var written = await Task.WhenAll(running).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        CloseOutcome closed;
        while ((closed = await nodes[0].CloseAsync(stream, Outcome.Completed)) is CloseOutcome.Refused { Refusal.Code.Retryable: true })
        {
        }
        var log = await nodes[^1].ReadAllAsync(stream); // Which asserts that it is dense.
        Assert.Equal(log.Count, Assert.IsType<CloseOutcome.Closed>(closed).Next.Value);
        for (var number = 0; number < written.Length; number++)
        {
            var own = log.Where(chunk => chunk.StartsWith($"{number}.", StringComparison.Ordinal)).ToList();
            Assert.Equal(Enumerable.Range(0, written[number]).Select(sequence => $"{number}.{sequence}"), own);
        }
        Assert.Equal(written.Sum(), log.Count);
        stopping.Dispose();
        return log;
    }

    private async Task<int> WriteAsync(int number, Random random)
    {
        var producer = ProducerId.Parse($"producer-{number}");
        var sequence = 0;
        while (!stopping.IsCancellationRequested)
        {
            var count = random.Next(1, 4);
            while (true)
            {
                var batch = new ChunkBatch { Producer = producer, FirstSequence = sequence };
                for (var i = 0; i < count; i++) batch.Add(Encoding.UTF8.GetBytes($"{number}.{sequence + i}"));
                var outcome = await nodes[random.Next(nodes.Length)].Log.AppendAsync(stream, batch, LogNode.NoLimits, CancellationToken.None);
                if (outcome is AppendOutcome.Stored stored)
                {
                    Assert.Equal(count, stored.Added + stored.Duplicates);
                    break;
                }
                var refusal = Assert.IsType<AppendOutcome.Refused>(outcome).Refusal;
                Assert.True(refusal.Code.Retryable, $"Producer {number} was refused at {sequence}: {refusal.Code.Code}, {refusal.Detail}");
                Interlocked.Increment(ref retries);
            }
            sequence += count;
            Interlocked.Add(ref acknowledged, count);
        }
        return sequence;
    }
}
