using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>What the log itself takes, without HTTP: one chunk an append, so many callers waiting on each stream.</summary>
internal sealed class AppendInProcess(int bytes) : Row
{
    // The floors were set for 200 bytes; smaller chunks pack better, so that they hold there, too.
    private static readonly (int Streams, int Callers, double Floor)[] Loads = [(1, 64, 1.3), (1, 1024, 4.5), (16, 256, 9), (256, 1, 0.5)];

    public override string Id => $"append-in-process-{bytes}";

    public override string Title => $"append in process, chunks of {bytes} bytes";

    public override string Baseline => "BASE: NATS.Net PublishAsync, 256 in flight";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        await using var node = await LogNode.StartAsync(broker, cancellationToken);
        var chunk = Chunks.OfBytes(bytes);
        var rounds = new Rounds()
            .Add("BASE", _ => plain.PublishPerSecondAsync(bytes, context.Slice))
            .RepeatBelow(RowContext.QuietBaseline, "BASE");
        foreach (var (streams, callers, _) in Loads)
        {
            var addresses = Enumerable.Range(0, streams).Select(_ => LogNode.NewStream()).ToArray();
            rounds.Add($"{streams} x {callers}", _ => ClosedLoop.PerSecondAsync(
                streams * callers, context.Slice, worker => node.AppendAsync(addresses[worker % streams], chunk)));
        }
        await rounds.RunAsync(context.Rounds, cancellationToken);
        context.Notes.AddRange(rounds.Notes);
        return
        [
            .. Loads.Select(load => rounds.Compare(
                $"{load.Streams} stream{(load.Streams > 1 ? "s" : "")} x {load.Callers} outstanding", "chunks/s", "BASE", $"{load.Streams} x {load.Callers}", Target.AtLeast(load.Floor))),
        ];
    }
}
