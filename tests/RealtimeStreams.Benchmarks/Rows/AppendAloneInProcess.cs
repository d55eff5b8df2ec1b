using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>One append with nothing beside it: what the log adds to the broker's round trip.</summary>
internal sealed class AppendAloneInProcess : Row
{
    private const int Bytes = 200;

    public override string Id => "append-alone-in-process";

    public override string Title => "one append alone in process, acknowledged";

    public override string Baseline => "NATS.Net JetStream publish, one in flight";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        await using var node = await LogNode.StartAsync(broker, cancellationToken);
        var chunk = Chunks.OfBytes(Bytes);
        var stream = LogNode.NewStream();
        var rounds = new Rounds()
            .Add("publish", async _ => Two(await ClosedLoop.TimeAsync(context.Slice, () => plain.PublishAsync(chunk))))
            .Add("append", async _ => Two(await ClosedLoop.TimeAsync(context.Slice, () => node.AppendAsync(stream, chunk))));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return
        [
            rounds.Compare("p50", "ms", "publish", "append", Target.AtMost(1.5)),
            rounds.Compare("p99", "ms", "publish", "append", null, value: 1),
        ];
    }

    private static double[] Two(Samples samples) => [samples.Percentile(0.5), samples.Percentile(0.99)];
}
