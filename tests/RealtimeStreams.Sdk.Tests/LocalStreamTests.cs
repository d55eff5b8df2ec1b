using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Tests;

public sealed class LocalStreamTests
{
    private readonly FakeTimeProvider time = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_is_waited_for_a_moment_only_and_whoever_comes_too_late_is_told()
    {
        var local = New(capacity: 3);
        for (var i = 0; i < 3; i++) Assert.True(local.WriteAsync(i, Cancelled).AsTask().IsCompletedSuccessfully);
        var fourth = local.WriteAsync(3, Cancelled).AsTask();
        Assert.False(fourth.IsCompleted);
        time.Advance(LocalStream<int>.Grace);
        await fourth;
        for (var i = 0; i < 100; i++) Assert.True(local.WriteAsync(i, Cancelled).AsTask().IsCompletedSuccessfully);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await local.FirstAsync(Cancelled));
        Assert.Contains("LocalBufferChunks", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_begins_in_time_gets_all_however_fast_the_source_is()
    {
        var local = New(capacity: 2);
        for (var i = 0; i < 2; i++) await local.WriteAsync(i, Cancelled);
        var third = local.WriteAsync(2, Cancelled).AsTask();
        Assert.False(third.IsCompleted);

        Assert.Equal([0, 1, 2], await local.Take(3).ToListAsync(Cancelled));
        await third;
    }

    [Fact]
    public async Task An_old_pipe_and_one_that_somebody_waits_for_wait_for_nobody()
    {
        var old = New(capacity: 1);
        time.Advance(LocalStream<int>.Grace);
        var expected = New(capacity: 1);
        expected.ExpectNobody();
        foreach (var local in new[] { old, expected })
        {
            for (var i = 0; i < 5; i++) await local.WriteAsync(i, Cancelled);
        }

        var taken = New(capacity: 1);
        taken.Take();
        taken.ExpectNobody();
        await taken.WriteAsync(0, Cancelled);
        Assert.False(taken.WriteAsync(1, Cancelled).AsTask().IsCompleted);
    }

    [Fact]
    public async Task An_iteration_that_is_slow_slows_the_source_and_gets_all()
    {
        var local = New(capacity: 2);
        await local.WriteAsync(0, Cancelled);
        await using var iterator = local.GetAsyncEnumerator(Cancelled);
        Assert.True(await iterator.MoveNextAsync());
        await local.WriteAsync(1, Cancelled);
        await local.WriteAsync(2, Cancelled);
        var third = local.WriteAsync(3, Cancelled).AsTask();
        Assert.False(third.IsCompleted);

        var seen = new List<int> { iterator.Current };
        while (seen.Count < 4 && await iterator.MoveNextAsync()) seen.Add(iterator.Current);

        await third;
        Assert.Equal([0, 1, 2, 3], seen);
    }

    [Fact]
    public async Task Leaving_the_iteration_lets_the_source_go_on()
    {
        var local = New(capacity: 1);
        await local.WriteAsync(0, Cancelled);
        var iterator = local.GetAsyncEnumerator(Cancelled);
        await iterator.MoveNextAsync();
        await local.WriteAsync(1, Cancelled);
        var waiting = local.WriteAsync(2, Cancelled).AsTask();
        Assert.False(waiting.IsCompleted);

        await iterator.DisposeAsync();

        await waiting;
        await local.WriteAsync(3, Cancelled);
        await local.WriteAsync(4, Cancelled);
    }

    [Fact]
    public async Task It_is_iterated_once()
    {
        var local = New(capacity: 1);
        await local.WriteAsync(1, Cancelled);
        local.Complete(null);

        Assert.Equal([1], await local.ToListAsync(Cancelled));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await local.ToListAsync(Cancelled));
    }

    private LocalStream<int> New(int capacity) => new(capacity, time);
}
