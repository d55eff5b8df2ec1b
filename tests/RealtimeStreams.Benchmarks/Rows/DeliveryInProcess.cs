using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>From the acknowledgement of a chunk to the last of many readers in this process, at 400 chunks a second.</summary>
internal sealed class DeliveryInProcess(int readers, double p50, double p99) : Row
{
    private const double PerSecond = 400;
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    public override string Id => $"delivery-in-process-{readers}";

    public override string Title => $"acknowledgement → last of {readers:N0} readers in process, 400 chunks/s";

    public override string Baseline => "none";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var node = await LogNode.StartAsync(broker, cancellationToken);
        var rounds = new Rounds().Add("log", cancellation => MeasureOnceAsync(node, (int)(PerSecond * context.Slice.TotalSeconds * 2), cancellation));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return [rounds.Tell("p50", "ms", "log", Target.Within(p50)), rounds.Tell("p99", "ms", "log", Target.Within(p99), value: 1)];
    }

    private async Task<double[]> MeasureOnceAsync(LogNode node, int chunks, CancellationToken cancellationToken)
    {
        var stream = LogNode.NewStream();
        var delays = new Delays(chunks, readers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tails = new List<IStreamTail>();
        for (var i = 0; i < readers; i++) tails.Add(await node.Log.OpenTailAsync(stream, cancellationToken));
        var reading = tails.ConvertAll(tail => Task.Run(() => ReadAsync(tail, delays, chunks, stop.Token), cancellationToken));
        await Pace.RunAsync(
            chunks,
            PerSecond,
            async i =>
            {
                await node.AppendAsync(stream, Chunks.Numbered(i, 64));
                delays.Begin(i); // The acknowledgement. Readers may have been faster; then the time is negative and counts as it is.
            },
            cancellationToken);
        var complete = await delays.WaitAsync(Wait, cancellationToken);
        await stop.CancelAsync();
        await Task.WhenAll(reading);
        if (!complete || delays.Strays > 0) throw new InvalidDataException($"{delays.Missing} deliveries are missing, {delays.Strays} came twice.");
        var samples = delays.ToSamples();
        return [samples.Percentile(0.5), samples.Percentile(0.99)];
    }

    private static async Task ReadAsync(IStreamTail tail, Delays delays, int chunks, CancellationToken cancellationToken)
    {
        await using (tail)
        {
            var cursor = ChunkIndex.Zero;
            try
            {
                while (cursor.Value < chunks)
                {
                    if (tail.Find(cursor) is not { } record)
                    {
                        await tail.WaitAsync(cursor, Wait, cancellationToken);
                        continue;
                    }
                    for (; cursor < record.NextIndex; cursor = cursor.Next) delays.Arrive(cursor.Value);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }
        }
    }
}
