using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Retention.Tests;

/// <summary>Bodies that are open while their run is erased, on the node that erases it and on one that hears nothing of it, on a clock that the test moves.</summary>
public sealed class ErasedBodyTests : IAsyncLifetime
{
    // What a server remembers of an admission, and how long the run's id stays taken.
    private static readonly TimeSpan remembered = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan quarantine = remembered + TimeSpan.FromSeconds(30);

    private static readonly TimeSpan patience = TimeSpan.FromMinutes(1);

    private static readonly StreamAddress stream = new(RetentionNode.Environment, RunId.Parse("run"), StreamKey.Parse("s"));

    private readonly TempFolder folder = new("erased-bodies");
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));
    private readonly Pipe body = new();
    private TestBroker broker = null!;
    private RetentionNode one = null!;
    private RetentionNode other = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        one = await RetentionNode.StartAsync(broker.Url, folder.FullPath, clock);
        other = await RetentionNode.StartAsync(broker.Url, folder.FullPath, clock);
        await RegisterAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await other.DisposeAsync();
        await broker.DisposeAsync();
        folder.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("p")]
    public async Task The_next_line_of_a_body_is_refused_once_its_run_is_erased(string? producer)
    {
        var writing = await BeginAsync(one, producer);
        await EraseAsync();

        await EndAsync("2\n");

        var refused = Assert.IsType<IngestOutcome.Refused>(await writing);
        Assert.Equal((ErrorCode.RunNotFound, 1), (refused.Refusal.Code, refused.Receipt!.Stored));
        Assert.Equal(0, await broker.CountMessagesAsync(Cancelled));
    }

    [Fact]
    public async Task A_server_that_hears_nothing_of_an_erasure_takes_lines_no_longer_than_it_remembers_the_run_and_none_of_them_stays()
    {
        var writing = await BeginAsync(other, null);
        await EraseAsync();

        clock.Advance(remembered - TimeSpan.FromSeconds(1));
        await body.Writer.WriteAsync("2\n"u8.ToArray(), Cancelled);
        await Until.TrueAsync(() => "What came late was not stored.", async () => await other.Log.FindAsync(stream, Cancelled) is { NextIndex.Value: 1 });
        clock.Advance(TimeSpan.FromSeconds(1));
        await EndAsync("3\n");

        Assert.Equal(ErrorCode.RunNotFound, Assert.IsType<IngestOutcome.Refused>(await writing).Refusal.Code);
        Assert.Equal(1, await broker.CountMessagesAsync(Cancelled));
        await FreeAsync();
        Assert.Equal(0, await broker.CountMessagesAsync(Cancelled));
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(true, "p")]
    [InlineData(false, null)]
    [InlineData(false, "p")]
    public async Task A_body_of_an_erased_run_writes_nothing_into_another_run_that_has_its_id_since(bool hears, string? producer)
    {
        var writing = await BeginAsync(hears ? one : other, producer);
        await EraseAsync();
        await FreeAsync();
        await RegisterAsync();
        Assert.IsType<IngestOutcome.Stored>(await other.AppendAsync(stream, "\"new\""));

        await EndAsync("2\n");

        Assert.Equal(ErrorCode.StreamGone, Assert.IsType<IngestOutcome.Refused>(await writing).Refusal.Code);
        Assert.Equal(1, (await one.Log.FindAsync(stream, Cancelled))!.NextIndex.Value);
        Assert.Equal(1, await broker.CountMessagesAsync(Cancelled));
    }

    private async Task RegisterAsync() => Assert.IsType<RegisterOutcome.Registered>(await one.Registry.RegisterAsync(
        stream.Environment, new RunRegistration(stream.Run, null, null, null, [], StreamsVersion.V2), Cancelled));

    /// <summary>Opens the body, with one line that is stored.</summary>
    private async Task<Task<IngestOutcome>> BeginAsync(RetentionNode node, string? producer)
    {
        var position = producer is null ? default(ProducerPosition?) : new ProducerPosition(ProducerId.Parse(producer), 0, 0);
        var writing = node.Appender.AppendAsync(stream, new AppendRequest(BodyKind.Lines, position), body.Reader, Cancelled);
        await body.Writer.WriteAsync("1\n"u8.ToArray(), Cancelled);
        await Until.TrueAsync(() => "The first line was not stored.", async () => await node.Log.FindAsync(stream, Cancelled) is { NextIndex.Value: 1 });
        return writing;
    }

    // An erasure goes on whether or not anybody waits, and its limits are of a clock that stands still.
    private async Task EraseAsync() =>
        Assert.True(await one.Registry.EraseAsync(stream.Environment, stream.Run, Cancelled).WaitAsync(patience, TimeProvider.System, Cancelled));

    private async Task EndAsync(string line)
    {
        await body.Writer.WriteAsync(Encoding.UTF8.GetBytes(line), Cancelled);
        await body.Writer.CompleteAsync();
    }

    /// <summary>Lets the time pass in which the run's id stays taken, and the second pass of the erasure.</summary>
    private async Task FreeAsync()
    {
        clock.Advance(quarantine);
        Assert.Equal(1, (await one.Registry.RepeatAsync(null, 10, Cancelled).WaitAsync(patience, TimeProvider.System, Cancelled)).Done);
    }
}
