using RealtimeStreams.ChunkLog.Following;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.ChunkLog.Tests;

public sealed class TailWaiterTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_wait_that_the_stream_its_time_and_its_token_race_for_ends_exactly_once_by_one_of_them()
    {
        foreach (var seed in Sweep.Seeds(4711))
        {
            output.WriteLine($"seed {seed}");
            var random = new Random(seed);
            var waiter = new TailWaiter();
            var found = 0;
            var passed = 0;
            var cancelled = 0;
            for (var round = 0; round < 3_000; round++)
            {
                using var cancel = new CancellationTokenSource();
                using var start = new Barrier(3);
                var spins = Enumerable.Range(0, 3).Select(_ => random.Next(200)).ToArray();
                var wait = waiter.Begin(new ChunkIndex(round), round);
                var racers = new[]
                {
                    Race(start, spins[0], () => waiter.End(found: true)),
                    Race(start, spins[1], () => waiter.End(found: false)),
                    Race(start, spins[2], cancel.Cancel),
                };
                waiter.EndBy(cancel.Token);
                try
                {
                    if (await wait) found++;
                    else passed++;
                }
                catch (OperationCanceledException)
                {
                    cancelled++;
                }
                Assert.False(waiter.IsWaiting);
                await Task.WhenAll(racers);
                Assert.Equal((round, (long)round), ((int)waiter.Cursor.Value, waiter.Deadline));
            }
            output.WriteLine($"{found} by the stream, {passed} by time, {cancelled} by the token");
            Assert.Equal(3_000, found + passed + cancelled);
            Assert.True(found > 0 && passed > 0 && cancelled > 0, "The race was always won by the same.");
        }
    }

    [Fact]
    public async Task A_token_that_is_cancelled_already_ends_the_wait_and_the_next_one_is_free_of_it()
    {
        var waiter = new TailWaiter();
        var first = waiter.Begin(ChunkIndex.Zero, 0);
        waiter.EndBy(new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await first);
        using var cancel = new CancellationTokenSource();
        var next = waiter.Begin(ChunkIndex.Zero, 0);
        waiter.EndBy(cancel.Token);
        waiter.End(found: true);
        Assert.True(await next);
        var last = waiter.Begin(ChunkIndex.Zero, 0);
        await cancel.CancelAsync(); // That of the wait before.
        Assert.True(waiter.IsWaiting);
        waiter.End(found: false);
        Assert.False(await last);
    }

    private static Task Race(Barrier start, int spins, Action act) => Task.Factory.StartNew(
        () =>
        {
            start.SignalAndWait(TestContext.Current.CancellationToken);
            Thread.SpinWait(spins);
            act();
        },
        TestContext.Current.CancellationToken,
        TaskCreationOptions.LongRunning, // Each on a thread of its own, so that they meet.
        TaskScheduler.Default);
}
