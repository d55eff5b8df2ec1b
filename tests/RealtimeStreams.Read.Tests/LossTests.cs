using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Read.Tests;

/// <summary>Readers whose tail misses what the broker repeats, which is at most once, or whose broker goes away. The clock is the test's.</summary>
public sealed class LossTests(ReadFixture fixture) : IClassFixture<ReadFixture>
{
    private const string TailLink = "realtimestreams-tail";

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Chunks_whose_repetition_was_lost_are_found_after_a_silent_second()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await ReadNode.StartAsync(proxy.Url, clock);
        var stream = await node.NewStreamAsync();
        await using var read = await node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);

        proxy.Hold(TailLink);
        await node.AppendAsync(stream, 0, 3);
        var step = steps.TakeAsync(TimeSpan.FromHours(1));
        Assert.False(step.IsCompleted);
        await PassAsync(step, TimeSpan.FromMilliseconds(250));
        steps.AssertChunks(0, 3);
        proxy.Release(TailLink);
    }

    [Fact]
    public async Task Chunks_that_were_stored_while_the_tails_connection_was_cut_are_found_when_it_is_back()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await ReadNode.StartAsync(proxy.Url, clock);
        var stream = await node.NewStreamAsync();
        await using var read = await node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);

        // What is held back is lost with the connection. Then a live record shows the hole, which is read from the store.
        proxy.Hold(TailLink);
        await node.AppendAsync(stream, 0, 3);
        await Until.TrueAsync(() => "The broker did not repeat the record.", () => proxy.Held(TailLink) > 0);
        Assert.Equal(1, proxy.Cut(TailLink));
        proxy.Release(TailLink);
        await Until.TrueAsync(() => "The node did not connect again.", () => proxy.Open(TailLink) == 1);
        await node.AppendAsync(stream, 3, 2);
        await node.CloseAsync(stream);
        await PassAsync(steps.UntilAsync(ReadStepKind.Ended), TimeSpan.FromMilliseconds(250));
        steps.AssertChunks(0, 5);
    }

    [Fact]
    public async Task A_stream_that_never_came_ends_with_its_run()
    {
        await using var node = await ReadNode.StartAsync(fixture.Broker.Url, clock);
        var stream = await node.NewStreamAsync();
        await using var read = await node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        var end = steps.TakeAsync(TimeSpan.FromHours(1));
        await node.Registry.CompleteAsync(stream.Environment, stream.Run, Outcome.Failed, "broken", TestContext.Current.CancellationToken);
        await PassAsync(end, TimeSpan.FromSeconds(1));
        Assert.Equal(["CaughtUp", "ended failed at 0"], steps.Events);
    }

    [Fact]
    public async Task A_stream_whose_first_chunks_the_tail_missed_does_not_end_with_its_run_before_they_were_read()
    {
        await using var proxy = new NatsProxy(fixture.Broker.Port);
        await using var node = await ReadNode.StartAsync(proxy.Url, clock);
        var stream = await node.NewStreamAsync();
        await using var read = await node.OpenAsync(stream);
        var steps = await new Steps(read).UntilAsync(ReadStepKind.CaughtUp);
        await PassAsync(steps.TakeAsync(TimeSpan.FromSeconds(9)), TimeSpan.FromMilliseconds(250)); // Silent so long that the leader is asked seldom now.

        proxy.Hold(TailLink);
        await node.AppendAsync(stream, 0, 3);
        await node.Registry.CompleteAsync(stream.Environment, stream.Run, Outcome.Completed, null, TestContext.Current.CancellationToken);
        var step = steps.TakeAsync(TimeSpan.FromHours(1));
        await PassAsync(step, TimeSpan.FromMilliseconds(250));
        Assert.Equal(ReadStepKind.Chunks, (await step).Kind);
        steps.AssertChunks(0, 3);
        proxy.Release(TailLink);
    }

    [Fact]
    public async Task A_reader_stays_while_the_broker_is_away_and_goes_on_when_it_is_back()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var node = await ReadNode.StartAsync(broker.Url);
        var stream = await node.NewStreamAsync();
        for (var i = 0; i < 8; i++) await node.AppendAsync(stream, i * 10, 10, padding: 6000); // More than one batch of stored records.
        await using var caughtUp = await node.OpenAsync(stream);
        var live = await new Steps(caughtUp).UntilAsync(ReadStepKind.CaughtUp);
        await using var behind = await node.OpenAsync(stream);
        var late = await new Steps(behind).UntilAsync(10);

        broker.Kill();
        Assert.Equal(ReadStepKind.Idle, (await live.TakeAsync(TimeSpan.FromMilliseconds(100))).Kind);
        await broker.StartAgainAsync(TestContext.Current.CancellationToken);
        await node.CloseAsync(stream);
        await live.UntilAsync(ReadStepKind.Ended);
        await late.UntilAsync(ReadStepKind.Ended);
        live.AssertChunks(0, 80);
        late.AssertChunks(0, 80);
    }

    /// <summary>Lets time pass until a step has come.</summary>
    private async Task PassAsync(Task step, TimeSpan beat)
    {
        await Until.TrueAsync(
            () => "The read did not go on.",
            () =>
            {
                if (!step.IsCompleted) clock.Advance(beat);
                return step.IsCompleted;
            });
        await step;
    }
}
