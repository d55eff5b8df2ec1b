using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>Batches that other dialects made themselves.</summary>
public sealed class BatchTests
{
    private readonly IngestNode node = new();

    [Fact]
    public async Task A_batch_goes_to_the_log_as_it_is_and_its_outcome_comes_back()
    {
        var answer = new AppendOutcome.Stored(new ChunkIndex(3), new ChunkIndex(5), 2, 0, null, 17, 18);
        node.Log.Answer = _ => answer;
        using var bytes = new MetricCollector<long>(node.Meters, "RealtimeStreams.Ingest", "realtimestreams.ingest.bytes");
        var batch = NewBatch("hello", "world");
        batch.IdempotencyKey = "k";

        Assert.Same(answer, await AppendAsync(batch));

        var recorded = Assert.Single(node.Log.Batches);
        Assert.Equal(["hello", "world"], recorded.Chunks);
        Assert.Equal("k", recorded.IdempotencyKey);
        Assert.Equal(10, bytes.LastMeasurement?.Value);
    }

    [Fact]
    public async Task A_batch_for_a_stream_that_is_not_admitted_is_refused_and_given_back()
    {
        node.Registry.Admission = new StreamAdmission.Refused(new Refusal(ErrorCode.LimitReached, "none"));
        using var refusals = new MetricCollector<long>(node.Meters, "RealtimeStreams.Ingest", "realtimestreams.ingest.refusals");
        var batch = NewBatch("1");

        Assert.Equal(ErrorCode.LimitReached, Assert.IsType<AppendOutcome.Refused>(await AppendAsync(batch)).Refusal.Code);

        Assert.Empty(node.Log.Batches);
        Assert.Equal(0, batch.Count); // Disposed.
        Assert.Equal(ErrorCode.LimitReached.Code, refusals.LastMeasurement?.Tags["error.type"]);
    }

    [Fact]
    public async Task A_refusal_of_the_log_keeps_what_the_stream_expects()
    {
        node.Log.Answer = _ => new AppendOutcome.Refused(new Refusal(ErrorCode.IndexMismatch, "other"), ExpectedIndex: 8);
        Assert.Equal(8, Assert.IsType<AppendOutcome.Refused>(await AppendAsync(NewBatch("1"))).ExpectedIndex);
    }

    [Fact]
    public async Task A_closed_stream_of_an_ended_run_is_refused_because_of_the_run()
    {
        node.Log.Answer = _ => new AppendOutcome.Refused(new Refusal(ErrorCode.StreamClosed, "closed"));
        node.Registry.Run = AdmissionTests.ARun(RunStatus.Failed);
        Assert.Equal(ErrorCode.RunCompleted, Assert.IsType<AppendOutcome.Refused>(await AppendAsync(NewBatch("1"))).Refusal.Code);
    }

    private Task<AppendOutcome> AppendAsync(ChunkBatch batch) =>
        node.Appender.AppendAsync(IngestNode.Stream, batch, writerLease: null, TestContext.Current.CancellationToken);

    private static ChunkBatch NewBatch(params string[] chunks)
    {
        var batch = new ChunkBatch();
        foreach (var chunk in chunks) batch.Add(System.Text.Encoding.UTF8.GetBytes(chunk), ChunkForm.Text);
        return batch;
    }
}
