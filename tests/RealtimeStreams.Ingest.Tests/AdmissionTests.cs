using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

public sealed class AdmissionTests
{
    private static readonly Refusal Ended = new(ErrorCode.RunCompleted, "ended");

    [Fact]
    public async Task A_stream_that_is_not_admitted_is_refused_before_lines_are_read()
    {
        var node = new IngestNode();
        node.Registry.Admission = new StreamAdmission.Refused(new Refusal(ErrorCode.RunNotFound, "none"));
        var body = new PiecewiseBody(null, "1\n"u8.ToArray());

        var outcome = await node.AppendAsync(BodyKind.Lines, body);

        Assert.Equal(ErrorCode.RunNotFound, Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Code);
        Assert.Equal(0, body.Reads);
    }

    [Theory]
    [InlineData(BodyKind.Value, "{")]
    [InlineData(BodyKind.Array, "1")]
    public async Task A_whole_body_that_is_wrong_admits_no_stream(BodyKind kind, string body)
    {
        var node = new IngestNode();

        var outcome = await node.AppendAsync(kind, body);

        Assert.IsType<IngestOutcome.Refused>(outcome);
        Assert.Equal(0, node.Registry.Admissions);
    }

    [Fact]
    public async Task A_final_chunk_that_is_wrong_admits_no_stream()
    {
        var node = new IngestNode();

        Assert.IsType<CloseOutcome.Refused>(await node.CloseAsync(Outcome.Completed, "{"));
        Assert.Equal(0, node.Registry.Admissions);
    }

    [Fact]
    public async Task A_closed_stream_of_an_ended_run_is_refused_because_of_the_run()
    {
        var node = new IngestNode();
        node.Log.Answer = _ => new AppendOutcome.Refused(new Refusal(ErrorCode.StreamClosed, "closed"));
        node.Registry.Run = ARun(RunStatus.Failed);

        var outcome = await node.AppendAsync(BodyKind.Value, "1");

        Assert.Equal(ErrorCode.RunCompleted, Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Code);
    }

    [Fact]
    public async Task A_closed_stream_of_an_open_run_is_refused_because_of_the_stream()
    {
        var node = new IngestNode();
        node.Log.Answer = _ => new AppendOutcome.Refused(new Refusal(ErrorCode.StreamClosed, "closed"));
        node.Registry.Run = ARun(RunStatus.Open);

        var outcome = await node.AppendAsync(BodyKind.Value, "1");

        Assert.Equal(ErrorCode.StreamClosed, Assert.IsType<IngestOutcome.Refused>(outcome).Refusal.Code);
    }

    [Fact]
    public async Task A_close_stores_its_final_chunk_and_marks_the_row()
    {
        var node = new IngestNode();

        var outcome = await node.CloseAsync(Outcome.Failed, "{ \"bye\":\n1 }", new ProducerPosition(ProducerId.Parse("p"), 1, 9));

        Assert.IsType<CloseOutcome.Closed>(outcome);
        var (_, stored, last) = Assert.Single(node.Log.Closed);
        Assert.Equal(Outcome.Failed, stored);
        Assert.Equal(["{ \"bye\": 1 }"], last!.Chunks);
        Assert.Equal(9, last.FirstSequence);
        Assert.Equal([(IngestNode.Stream.Key, Outcome.Failed)], node.Registry.Marked);
    }

    [Fact]
    public async Task A_close_counts_though_its_row_cannot_be_marked()
    {
        var node = new IngestNode();
        node.Registry.Away = true;

        Assert.IsType<CloseOutcome.Closed>(await node.CloseAsync(Outcome.Completed));
    }

    [Fact]
    public async Task A_final_chunk_that_is_none_closes_nothing()
    {
        var node = new IngestNode(maxChunkBytes: 5);

        var outcome = await node.CloseAsync(Outcome.Completed, "123456");

        Assert.Equal(ErrorCode.ChunkTooLarge, Assert.IsType<CloseOutcome.Refused>(outcome).Refusal.Code);
        Assert.Empty(node.Log.Closed);
    }

    [Theory]
    [InlineData(Outcome.Completed, true)]
    [InlineData(Outcome.Failed, false)]
    public async Task A_repeated_close_after_the_run_has_ended_succeeds_if_it_says_the_same(Outcome outcome, bool agrees)
    {
        var node = new IngestNode();
        node.Registry.Admission = new StreamAdmission.Refused(Ended);
        node.Log.Summary = new StreamSummary(default, new ChunkIndex(3), 1, Outcome.Completed, [], default, default);

        var answer = await node.CloseAsync(outcome);

        Assert.Equal(agrees ? new CloseOutcome.Closed(new ChunkIndex(3), outcome, AlreadyClosed: true) : new CloseOutcome.Refused(Ended), answer);
    }

    [Fact]
    public async Task Chunks_duplicates_and_refusals_are_counted()
    {
        var node = new IngestNode();
        using var chunks = new MetricCollector<long>(node.Meters, "RealtimeStreams.Ingest", "realtimestreams.ingest.chunks");
        using var duplicates = new MetricCollector<long>(node.Meters, "RealtimeStreams.Ingest", "realtimestreams.ingest.duplicates");
        using var refusals = new MetricCollector<long>(node.Meters, "RealtimeStreams.Ingest", "realtimestreams.ingest.refusals");
        node.Log.Answer = number => number == 0 ? new AppendOutcome.Stored(default(ChunkIndex), new ChunkIndex(3), 2, 1, null) : null;

        await node.AppendAsync(BodyKind.Array, "[1,2,3]");
        await node.AppendAsync(BodyKind.Value, "oops");

        Assert.Equal(2, chunks.LastMeasurement!.Value);
        Assert.Equal(1, duplicates.LastMeasurement!.Value);
        Assert.Equal("invalid_json", refusals.LastMeasurement!.Tags["error.type"]);
    }

    internal static Run ARun(RunStatus status) =>
        new(IngestNode.Stream.Run, null, null, null, [], status, StreamsVersion.V2, null, default, null);
}
