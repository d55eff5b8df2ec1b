using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Retention.Tests;

/// <summary>Two nodes on one broker and one database, on a clock that the test moves.</summary>
public sealed class AbandonmentTests : IAsyncLifetime
{
    private static readonly TimeSpan lease = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan grace = TimeSpan.FromSeconds(30);

    private readonly TempFolder folder = new("abandonment");
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));
    private TestBroker broker = null!;
    private RetentionNode one = null!;
    private RetentionNode other = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        one = await RetentionNode.StartAsync(broker.Url, folder.FullPath, clock);
        other = await RetentionNode.StartAsync(broker.Url, folder.FullPath, clock);
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await other.DisposeAsync();
        await broker.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Streams_that_nobody_writes_any_more_are_abandoned_exactly_once_by_two_sweepers_and_a_returning_writer_is_told()
    {
        const int Streams = 20;
        var streams = new List<StreamAddress>();
        for (var i = 0; i < Streams; i++) streams.Add(await BeginAsync($"run{i}"));

        await PassAsync(lease - TimeSpan.FromSeconds(1));
        Assert.Null(await one.FindEndAsync(streams[0]));
        await PassAsync(TimeSpan.FromSeconds(1)); // Doubted.
        Assert.Null(await one.FindEndAsync(streams[0]));
        await PassAsync(grace);

        foreach (var stream in streams) Assert.Equal(Outcome.Abandoned, await other.FindEndAsync(stream));
        Assert.Equal(Streams, Abandoned());
        Assert.Equal(Streams, one.Logs.GetSnapshot().Concat(other.Logs.GetSnapshot()).Count(log => log.Id.Id == 1304));
        foreach (var node in (RetentionNode[])[one, other])
        {
            var refused = Assert.IsType<IngestOutcome.Refused>(await node.AppendAsync(streams[0], "1"));
            Assert.Equal(ErrorCode.StreamClosed, refused.Refusal.Code);
            Assert.Contains("abandoned", refused.Refusal.Detail, StringComparison.Ordinal);
        }
        await PassAsync(lease);
        Assert.Equal(Streams, Abandoned());
    }

    [Fact]
    public async Task Every_append_gives_another_lease_without_a_word_to_the_registry()
    {
        var stream = await BeginAsync("run");
        for (var i = 0; i < 3; i++)
        {
            await PassAsync(lease - TimeSpan.FromMinutes(1));
            Assert.IsType<IngestOutcome.Stored>(await other.AppendAsync(stream, "1"));
        }
        Assert.Null(await one.FindEndAsync(stream));

        await PassAsync(lease);
        await PassAsync(grace);

        Assert.Equal(Outcome.Abandoned, await one.FindEndAsync(stream));
    }

    [Fact]
    public async Task A_writer_that_returns_while_the_stream_is_doubted_keeps_it()
    {
        var stream = await BeginAsync("run");
        await PassAsync(lease); // Doubted.

        Assert.IsType<IngestOutcome.Stored>(await other.AppendAsync(stream, "1"));
        await PassAsync(grace);
        await PassAsync(lease - grace - TimeSpan.FromSeconds(1));
        Assert.Null(await one.FindEndAsync(stream));
    }

    [Fact]
    public async Task An_open_connection_that_says_nothing_keeps_the_stream_and_one_whose_node_died_does_not()
    {
        var stream = await BeginAsync("run");
        var body = new Pipe();
        await using (var dying = await RetentionNode.StartAsync(broker.Url, folder.FullPath, clock))
        {
            var writing = dying.Appender.AppendAsync(stream, new AppendRequest(BodyKind.Lines), body.Reader, Cancelled);
            for (var minute = 0; minute < 40; minute += 2)
            {
                await PassAsync(TimeSpan.FromMinutes(2));
                if (minute % 4 == 0) await RenewedAsync(dying);
            }
            Assert.Null(await one.FindEndAsync(stream));
            await body.Writer.CompleteAsync();
            await writing;
        }

        // As after kill -9: nobody renews, nobody says goodbye.
        await PassAsync(lease * 4 / 3);
        await PassAsync(grace);

        Assert.Equal(Outcome.Abandoned, await one.FindEndAsync(stream));
        Assert.Equal(1, Abandoned());
    }

    [Fact]
    public async Task A_lease_of_its_own_decides()
    {
        var stream = await BeginAsync("run", TimeSpan.FromSeconds(20));
        var patient = await BeginAsync("patient", TimeSpan.FromHours(1));

        await PassAsync(TimeSpan.FromSeconds(20));
        await PassAsync(grace);
        await PassAsync(lease);
        await PassAsync(grace);

        Assert.Equal(Outcome.Abandoned, await one.FindEndAsync(stream));
        Assert.Null(await one.FindEndAsync(patient));
    }

    [Fact]
    public async Task An_end_that_its_row_missed_is_noted_as_the_log_has_it()
    {
        var stream = await BeginAsync("run");
        await one.Log.CloseAsync(stream, Outcome.Failed, null, new(long.MaxValue, long.MaxValue), Cancelled);

        await PassAsync(lease);

        Assert.Equal(Outcome.Failed, await one.FindEndAsync(stream));
        Assert.Equal(0, Abandoned());
    }

    [Fact]
    public async Task A_run_that_ends_closes_its_streams_as_before_whether_or_not_one_was_abandoned()
    {
        var (gone, there) = (await BeginAsync("run", key: "gone"), await BeginAsync("run", key: "there"));
        await PassAsync(lease - TimeSpan.FromSeconds(1));
        await one.AppendAsync(there, "1");
        await PassAsync(TimeSpan.FromSeconds(1));
        await PassAsync(grace);

        await other.Registry.CompleteAsync(RetentionNode.Environment, gone.Run, Outcome.Completed, null, Cancelled);

        Assert.Equal((Outcome.Abandoned, Outcome.Completed), (await one.FindEndAsync(gone), await one.FindEndAsync(there)));
    }

    [Fact]
    public async Task What_a_node_had_taken_up_when_it_died_another_finishes()
    {
        var stream = await BeginAsync("run");
        await PassAsync(lease);
        clock.Advance(grace);
        var taken = Assert.Single(await one.Leases.FindExpiredAsync(10, Cancelled));
        Assert.True(taken.IsDoubted);
        Assert.True(await one.Leases.DoubtAsync(taken, clock.GetUtcNow() + grace, Cancelled)); // Its last deed.

        await PassAsync(TimeSpan.Zero);
        Assert.Null(await one.FindEndAsync(stream));
        await PassAsync(grace);

        Assert.Equal(Outcome.Abandoned, await one.FindEndAsync(stream));
        Assert.Equal(1, Abandoned());
    }

    [Fact]
    public async Task More_streams_than_a_look_takes_whose_log_cannot_be_read_keep_no_other_waiting_and_are_abandoned_once_it_can()
    {
        const int Broken = 5;
        await using var node = await RetentionNode.StartAsync(
            broker.Url, folder.FullPath, clock, settings: new Dictionary<string, string?> { ["RealtimeStreams:Sweep:MaxStreams"] = "2" });
        var streams = new List<StreamAddress>();
        for (var i = 0; i < Broken; i++) streams.Add(await BeginAsync($"broken{i}"));
        clock.Advance(TimeSpan.FromSeconds(1)); // The others are found after them.
        var readable = await BeginAsync("readable");
        await using var connection = new NatsConnection(new NatsOpts { Url = broker.Url });
        var garbage = new List<PubAckResponse>();
        foreach (var stream in streams) garbage.Add(await BreakAsync(new NatsJSContext(connection), stream));

        clock.Advance(lease);
        await SweepUntilAsync(node, readable);

        Assert.Equal(Broken, node.Logs.GetSnapshot().Where(log => log.Id.Id == 1306).DistinctBy(log => log.GetStructuredStateValue("Run")).Count());
        foreach (var record in garbage) await new NatsJSContext(connection).DeleteMessageAsync(record.Stream!, new StreamMsgDeleteRequest { Seq = record.Seq }, Cancelled);
        foreach (var stream in streams) await SweepUntilAsync(node, stream);
        Assert.Equal(Broken + 1, node.Counted.GetMeasurementSnapshot().Sum(count => count.Value));
    }

    /// <summary>Looks for as long as a stream in its turn has to wait at most, and fails if it is not abandoned then.</summary>
    private async Task SweepUntilAsync(RetentionNode node, StreamAddress stream)
    {
        for (var looks = 0; looks < 20 && await one.FindEndAsync(stream) is null; looks++)
        {
            await node.SweepAsync();
            clock.Advance(TimeSpan.FromSeconds(10));
        }
        Assert.Equal(Outcome.Abandoned, await one.FindEndAsync(stream));
    }

    /// <summary>Stores what is no record as a stream's last.</summary>
    private static async Task<PubAckResponse> BreakAsync(NatsJSContext broker, StreamAddress stream)
    {
        var partition = SHA256.HashData(Encoding.UTF8.GetBytes($"{stream.Environment}\0{stream.Run}"))[0];
        var stored = await broker.PublishAsync($"rs.{partition:x2}.{stream.Environment}.{stream.Run}.{stream.Key}", "garbage", cancellationToken: Cancelled);
        stored.EnsureSuccess();
        return stored;
    }

    private async Task<StreamAddress> BeginAsync(string run, TimeSpan? own = null, string key = "default")
    {
        var id = RunId.Parse(run);
        await one.Registry.RegisterAsync(RetentionNode.Environment, new RunRegistration(id, null, null, null, [], StreamsVersion.V2), Cancelled);
        var stream = new StreamAddress(RetentionNode.Environment, id, StreamKey.Parse(key));
        Assert.IsType<IngestOutcome.Stored>(await one.AppendAsync(stream, "0", own));
        return stream;
    }

    /// <summary>Lets time pass, and then both nodes sweep at once.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        clock.Advance(time);
        await Task.WhenAll(Task.Run(one.SweepAsync, Cancelled), Task.Run(other.SweepAsync, Cancelled));
    }

    /// <summary>Waits for a node's next renewal. Time passes with it, as the node looks every second, but not more than a renewal takes: one that takes long on a busy machine would come too late.</summary>
    private async Task RenewedAsync(RetentionNode node)
    {
        var before = node.Renewals.GetMeasurementSnapshot().Count;
        var until = clock.GetUtcNow() + lease / 2;
        await Until.TrueAsync(
            () => "The open connection was not renewed.",
            () =>
            {
                if (clock.GetUtcNow() < until) clock.Advance(TimeSpan.FromSeconds(1));
                return node.Renewals.GetMeasurementSnapshot().Count > before;
            });
    }

    private long Abandoned() => one.Counted.GetMeasurementSnapshot().Concat(other.Counted.GetMeasurementSnapshot()).Sum(count => count.Value);
}
