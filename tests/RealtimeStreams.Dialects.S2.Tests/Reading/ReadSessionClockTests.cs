using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Dialects.S2.Reading;
using RealtimeStreams.Protocol;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.S2.Tests.Reading;

/// <summary>Heartbeats and waits, with the clock in the test's hand.</summary>
public sealed class ReadSessionClockTests
{
    private static readonly TimeSpan[] tenSeconds = [TimeSpan.FromSeconds(10)];

    private readonly FakeTimeProvider clock = new();
    private readonly MemoryStream sent = new();

    [Fact]
    public async Task A_heartbeat_comes_at_once_when_caught_up_and_then_every_10_seconds()
    {
        var read = new IdleRead(clock, limit: 4);

        await Assert.ThrowsAsync<OperationCanceledException>(() => SendAsync(read, new ReadRequest(StartKind.TailOffset, 0, false, null, null, null, null)));

        Assert.Equal(1 + 3, Frames());
        Assert.Equal(Enumerable.Repeat(tenSeconds[0], 4), read.Waits);
    }

    [Fact]
    public async Task The_wait_counts_from_the_last_record_and_heartbeats_do_not_put_it_off()
    {
        var read = new IdleRead(clock, limit: 100);

        Assert.Null(await SendAsync(read, new ReadRequest(StartKind.TailOffset, 0, false, null, null, null, TimeSpan.FromSeconds(25))));

        Assert.Equal([TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(5)], read.Waits);
        Assert.Equal(1 + 2, Frames());
    }

    [Fact]
    public async Task A_read_with_limits_and_without_a_wait_ends_where_it_has_caught_up()
    {
        var read = new IdleRead(clock, limit: 100);

        Assert.Null(await SendAsync(read, new ReadRequest(StartKind.TailOffset, 0, false, 5, null, null, null)));

        Assert.Empty(read.Waits);
        Assert.Equal(0, Frames());
    }

    private async Task<S2.Wire.S2Error?> SendAsync(IStreamRead read, ReadRequest request)
    {
        var output = PipeWriter.Create(sent, new StreamPipeWriterOptions(leaveOpen: true));
        var batch = new RecordBatch(FrameFormat.Instance.Framing, request.Count, request.Bytes, request.Until, metered: false);
        return await new ReadSession(read, request, FrameFormat.Instance, batch, output, null, clock, TestContext.Current.CancellationToken).SendAsync(TestContext.Current.CancellationToken);
    }

    private int Frames()
    {
        var bytes = sent.ToArray().AsSpan();
        var count = 0;
        for (; bytes.Length > 0; count++) bytes = bytes[(3 + ((bytes[0] << 16) | (bytes[1] << 8) | bytes[2]))..];
        return count;
    }

    /// <summary>A read that has caught up, and to which nothing comes: the clock is moved by the time that was to be waited.</summary>
    private sealed class IdleRead(FakeTimeProvider clock, int limit) : IStreamRead
    {
        private bool caughtUp;

        public List<TimeSpan> Waits { get; } = [];

        public ChunkIndex Cursor => new(7);

        public ChunkIndex NextIndex => new(7);

        public long LastTimestamp => 1000;

        public ValueTask<ReadStep> NextAsync(TimeSpan wait, CancellationToken cancellationToken)
        {
            if (!caughtUp)
            {
                caughtUp = true;
                return new(new ReadStep(ReadStepKind.CaughtUp, Cursor));
            }
            Waits.Add(wait);
            if (Waits.Count == limit) throw new OperationCanceledException();
            clock.Advance(wait);
            return new(new ReadStep(ReadStepKind.Idle, Cursor));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
