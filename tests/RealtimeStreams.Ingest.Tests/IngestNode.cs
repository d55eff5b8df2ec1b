using System.Buffers;
using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Ingest.Appending;
using RealtimeStreams.Ingest.Closing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>The module between a recording log and an open registry.</summary>
internal sealed class IngestNode
{
    public static readonly StreamAddress Stream =
        new(EnvironmentId.Parse("test"), RunId.Parse("run"), StreamKey.Parse("stream"));

    public IngestNode(int maxChunkBytes = 1024 * 1024)
    {
        Log = new RecordingLog { MaxChunkBytes = maxChunkBytes };
        Writers = new NotedWriters();
        Meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        Appender = new Appender(Log, new LimitedLog(Log, Limits), Registry, Writers, new IngestTelemetry(Meters), NullLogger<Appender>.Instance);
        Observer = new RunStreams(Log, Registry, NullLogger<RunStreams>.Instance);
    }

    public RecordingLog Log { get; }

    public SetLimits Limits { get; } = new();

    public OpenRegistry Registry { get; } = new();

    public NotedWriters Writers { get; }

    public IMeterFactory Meters { get; }

    public IAppender Appender { get; }

    public RunStreams Observer { get; }

    public Task<IngestOutcome> AppendAsync(BodyKind kind, string body, ProducerPosition? producer = null, string? idempotencyKey = null) =>
        AppendAsync(kind, Encoding.UTF8.GetBytes(body), producer, idempotencyKey);

    public Task<IngestOutcome> AppendAsync(BodyKind kind, byte[] body, ProducerPosition? producer = null, string? idempotencyKey = null) =>
        AppendAsync(kind, PipeReader.Create(new ReadOnlySequence<byte>(body)), producer, idempotencyKey);

    public Task<IngestOutcome> AppendAsync(BodyKind kind, PipeReader body, ProducerPosition? producer = null, string? idempotencyKey = null) =>
        Appender.AppendAsync(Stream, new AppendRequest(kind, producer, idempotencyKey), body, TestContext.Current.CancellationToken);

    public Task<CloseOutcome> CloseAsync(Outcome outcome, string? finalChunk = null, ProducerPosition? producer = null) =>
        Appender.CloseAsync(
            Stream,
            new CloseRequest(outcome, finalChunk is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(finalChunk), producer),
            TestContext.Current.CancellationToken);
}
