using RealtimeStreams.Benchmarks.Rows;

namespace RealtimeStreams.Benchmarks;

/// <summary>The target table: what a user feels, then the floors of the log inside a process.</summary>
internal static class AllRows
{
    public static IReadOnlyList<Row> InOrder { get; } =
    [
        new Append(),
        new Ingest(),
        new Live(),
        new FanOut(perSecond: 20),
        new FanOut(perSecond: 400),
        new CatchUp(),
        new IdleReaders(),
        new Scale(),
        new BrokerKill(),
        new AppendInProcess(bytes: 64),
        new AppendInProcess(bytes: 200),
        new AppendAloneInProcess(),
        new CatchUpInProcess(),
        new DeliveryInProcess(readers: 100, p50: 0.5, p99: 5),
        new DeliveryInProcess(readers: 1000, p50: 5, p99: 30),
    ];
}
