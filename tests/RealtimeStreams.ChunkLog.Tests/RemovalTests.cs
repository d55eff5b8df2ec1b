using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;
using static RealtimeStreams.ChunkLog.Tests.LogNode;

namespace RealtimeStreams.ChunkLog.Tests;

/// <summary>Removing much at once: in steps that are bounded, counted, and taken up by another node where one dies between them.</summary>
public sealed class RemovalTests(BrokerFixture fixture) : IClassFixture<BrokerFixture>
{
    private const int Many = (2 * Purges.Step) + 5_000;
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_run_is_erased_in_steps_and_what_others_have_in_the_shard_stays()
    {
        await using var node = await LogNode.StartAsync(fixture.Broker.Url);
        var stream = NewStream();
        var (filter, shard) = SubjectMap.OfRun(stream.Environment, stream.Run);
        var neighbour = filter.Replace(stream.Run.Value, stream.Run.Value + "0", StringComparison.Ordinal);
        await PublishAsync(Many, i => ($"{filter[..^1]}{i % 1_000}", []));
        await PublishAsync(10, i => ($"{neighbour[..^1]}{i}", []));
        using var steps = new Steps(node);

        await node.Log.EraseAsync(stream.Environment, stream.Run, None);

        Assert.Equal([("erased", Purges.Step), ("erased", Purges.Step), ("erased", 5_000)], steps.Taken);
        Assert.Equal(0, await CountAsync(shard, filter));
        Assert.Equal(10, await CountAsync(shard, neighbour));
    }

    [Fact]
    public async Task An_erasure_that_was_cut_off_between_two_steps_another_node_finishes()
    {
        await using var doomed = await LogNode.StartAsync(fixture.Broker.Url);
        var stream = NewStream();
        var (filter, shard) = SubjectMap.OfRun(stream.Environment, stream.Run);
        await PublishAsync(Many, i => ($"{filter[..^1]}{i % 1_000}", []));
        using var cutOff = new CancellationTokenSource();
        using (new Steps(doomed, after: cutOff.Cancel))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doomed.Log.EraseAsync(stream.Environment, stream.Run, cutOff.Token));
        Assert.Equal(Many - Purges.Step, await CountAsync(shard, filter));

        await fixture.Node.Log.EraseAsync(stream.Environment, stream.Run, None);

        Assert.Equal(0, await CountAsync(shard, filter));
    }

    [Fact]
    public async Task What_expired_is_removed_in_steps_and_the_step_that_a_node_did_not_get_to_by_the_next_that_looks()
    {
        await using var doomed = await LogNode.StartAsync(fixture.Broker.Url);
        await using var node = await LogNode.StartAsync(fixture.Broker.Url);
        var stream = NewStream();
        var place = SubjectMap.Of(stream);
        await PublishAsync(place.Subject, Many);
        var cutOff = TimeProvider.System.GetUtcNow().AddDays(1);
        using var killed = new CancellationTokenSource();
        using (new Steps(doomed, after: killed.Cancel))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doomed.Log.ExpireAsync(stream, cutOff, killed.Token));

        // Hidden already, all of it; removed, a step of it.
        Assert.Equal((Many, Many), await node.Log.FindAsync(stream, None) is { } there ? (there.FirstIndex.Value, there.NextIndex.Value) : default);
        Assert.Equal(Many + 1 - Purges.Step, await CountAsync(place.Shard, place.Subject));
        using var steps = new Steps(node);

        var left = await node.Log.ExpireAsync(stream, TimeProvider.System.GetUtcNow().AddMinutes(-1), None);

        Assert.Equal((Many, 0L), (left!.NextIndex.Value, left.Expired));
        Assert.Equal([("trimmed", Purges.Step), ("trimmed", 5_000)], steps.Taken);
        Assert.Equal(1, await CountAsync(place.Shard, place.Subject)); // Which says where the stream goes on.
        Assert.Equal(Many, Assert.IsType<AppendOutcome.Stored>(await node.AppendAsync(stream, "1")).First?.Value);
    }

    [Fact]
    public async Task A_step_is_bounded_where_few_records_have_many_chunks_or_lie_far_apart()
    {
        // Records of 1,000 chunks: a step by chunks would be ten of them, one by sequences takes them all.
        await using var node = await LogNode.StartAsync(fixture.Broker.Url);
        var stream = NewStream();
        var place = SubjectMap.Of(stream);
        await PublishAsync(place.Subject, 30, chunks: 1_000);
        using (var steps = new Steps(node))
        {
            await node.Log.ExpireAsync(stream, TimeProvider.System.GetUtcNow().AddDays(1), None);
            Assert.Equal([("trimmed", 30)], steps.Taken);
        }

        // Two records, and many of another stream between them: a step by sequences would be empty.
        stream = NewStream();
        place = SubjectMap.Of(stream);
        await node.AppendAsync(stream, "0");
        await PublishAsync(Many, i => ($"{SubjectMap.OfRun(stream.Environment, RunId.Parse(stream.Run.Value)).Filter[..^1]}other", []));
        await node.AppendAsync(stream, "1");
        using (var steps = new Steps(node))
        {
            await node.Log.ExpireAsync(stream, TimeProvider.System.GetUtcNow().AddDays(1), None);
            Assert.Equal([("trimmed", 2)], steps.Taken);
        }
        Assert.Equal(1, await CountAsync(place.Shard, place.Subject));
    }

    /// <summary>Publishes records of a stream past any appender, many at once.</summary>
    private Task PublishAsync(string subject, int records, int chunks = 1)
    {
        var head = new StreamHead();
        using var builder = new RecordBuilder();
        var bodies = new List<byte[]>(records);
        for (var i = 0; i < records; i++)
        {
            using var batch = Batch(null, 0, 0, [.. Enumerable.Repeat("1", chunks)]);
            builder.Begin(head);
            Assert.Null(builder.Admit(batch, NoLimits, TimeProvider.System.GetUtcNow(), out _, out _));
            bodies.Add(builder.Finish((ulong)i + 1, null).ToArray());
            Assert.True(LogRecord.TryParse(bodies[i], (ulong)i + 1, out var record, out var fault), fault);
            head.Apply(record);
        }
        return PublishAsync(records, i => (subject, bodies[i]));
    }

    private async Task PublishAsync(int count, Func<int, (string Subject, byte[] Body)> make)
    {
        await using var connection = new NatsConnection(new NatsOpts { Url = fixture.Broker.Url });
        var before = await fixture.Broker.CountMessagesAsync(None);
        for (var i = 0; i < count; i++)
        {
            var (subject, body) = make(i);
            await connection.PublishAsync(subject, body, cancellationToken: None);
            if ((i + 1) % 5_000 == 0 || i + 1 == count) await StoredAsync(before + i + 1); // Nobody answers these, and a server that has too many to store drops some.
        }
    }

    private async Task StoredAsync(long count)
    {
        long stored = 0;
        await Until.TrueAsync(() => $"The broker stored {stored} of {count}.", async () => (stored = await fixture.Broker.CountMessagesAsync(None)) >= count);
    }

    private async Task<long> CountAsync(string shard, string filter)
    {
        await using var connection = new NatsConnection(new NatsOpts { Url = fixture.Broker.Url });
        var info = await new NatsJSContext(connection).GetStreamAsync(shard, new StreamInfoRequest { SubjectsFilter = filter }, None);
        return info.Info.State.Subjects?.Values.Sum() ?? 0;
    }

    /// <summary>The removals of a node: why, and of how many records.</summary>
    private sealed class Steps : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly ConcurrentQueue<(string Reason, long Records)> taken = new();

        public Steps(LogNode node, Action? after = null)
        {
            listener.InstrumentPublished = (instrument, to) =>
            {
                if (instrument.Name == "realtimestreams.chunklog.purged.records" && instrument.Meter.Scope == node.Meters) to.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((_, records, tags, _) =>
            {
                taken.Enqueue(((string)tags[0].Value!, records));
                after?.Invoke();
            });
            listener.Start();
        }

        public IEnumerable<(string Reason, long Records)> Taken => taken;

        public void Dispose() => listener.Dispose();
    }
}
