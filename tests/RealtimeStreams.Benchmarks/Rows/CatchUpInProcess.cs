using System.Diagnostics;
using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>Reading what is stored, without HTTP: records of 64 chunks beside one message a chunk.</summary>
internal sealed class CatchUpInProcess : Row
{
    private const int Bytes = 200;
    private const int PerRecord = 64;

    public override string Id => "catch-up-in-process";

    public override string Title => "catch-up in process, chunks of 200 bytes in records of 64";

    public override string Baseline => "ordered pull consumer, 1,000 at a time, one message per chunk";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var count = context.Quick ? 20_000 : 100_000;
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        await using var node = await LogNode.StartAsync(broker, cancellationToken);
        var stream = LogNode.NewStream();
        await plain.FillAsync(count, Bytes);
        await node.FillAsync(stream, count, PerRecord, Bytes);

        var rounds = new Rounds()
            .Add("consumer", cancellation => plain.CatchUpPerSecondAsync(count, cancellation))
            .Add("log", cancellation => ReadAllAsync(node.Log, stream, count, cancellation));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return [rounds.Compare($"{count:N0} chunks", "chunks/s", "consumer", "log", Target.AtLeast(4))];
    }

    private static async Task<double> ReadAllAsync(IChunkLog log, StreamAddress stream, int count, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var cursor = ChunkIndex.Zero;
        LogRecord? last = null;
        var bytes = 0L;
        while (cursor.Value < count)
        {
            foreach (var record in await log.ReadStoredAsync(stream, cursor, last, cancellationToken))
            {
                if (record.FirstIndex != cursor) throw new InvalidDataException($"There is a hole before {record.FirstIndex}: {cursor} was next.");
                for (var i = 0; i < record.Count; i++) bytes += record.Chunk(i).Length;
                cursor = record.NextIndex;
                last = record;
            }
        }
        if (bytes != (long)count * Bytes) throw new InvalidDataException($"{bytes} bytes were read, {(long)count * Bytes} were written.");
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
