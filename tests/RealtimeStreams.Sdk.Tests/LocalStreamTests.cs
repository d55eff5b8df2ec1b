using RealtimeStreams.Sdk.Writing;

namespace RealtimeStreams.Sdk.Tests;

public sealed class LocalStreamTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_is_never_waited_for_and_whoever_comes_too_late_is_told()
    {
        var local = new LocalStream<int>(capacity: 3);
        for (var i = 0; i < 100; i++) Assert.True(local.WriteAsync(i, Cancelled).AsTask().IsCompletedSuccessfully);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await local.FirstAsync(Cancelled));
        Assert.Contains("LocalBufferChunks", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_iteration_that_is_slow_slows_the_source_and_gets_all()
    {
        var local = new LocalStream<int>(capacity: 2);
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
        var local = new LocalStream<int>(capacity: 1);
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
        var local = new LocalStream<int>(capacity: 1);
        await local.WriteAsync(1, Cancelled);
        local.Complete(null);

        Assert.Equal([1], await local.ToListAsync(Cancelled));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await local.ToListAsync(Cancelled));
    }
}
