using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>One stream, very many browsers.</summary>
/// <param name="perSecond">Chunks a second; times the readers it is what the server sends.</param>
internal sealed class FanOut(double perSecond) : Row
{
    private const int Bytes = 64;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public override string Id => $"fan-out-{perSecond:0}";

    public override string Title => $"one stream to 1,000 SSE readers, {perSecond:0} chunks/s: the last reader's delay";

    public override string Baseline => "the repeated subject, fanned out in memory to 1,000 tasks";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var readers = context.Quick ? 200 : 1000;
        var chunks = Math.Max(20, (int)(perSecond * context.Slice.TotalSeconds * 4));
        var (broker, server) = await context.Stage.GetAsync(cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken, repeat: true);
        var rounds = new Rounds()
            .Add("tasks", async cancellation => Shares(await PlainTail.FanOutAsync(plain, readers, chunks, perSecond, Bytes, cancellation)))
            .Add("readers", cancellation => MeasureOnceAsync(server, readers, chunks, cancellation));
        await rounds.RunAsync(Math.Min(context.Rounds, 3), cancellationToken);
        return
        [
            rounds.Compare($"p99, {readers:N0} readers", "ms", "tasks", "readers", Target.AtMost(3), value: 1),
            rounds.Compare($"p50, {readers:N0} readers", "ms", "tasks", "readers", null),
            rounds.TellWorst("chunks lost or doubled", "", "readers", Target.Within(0), value: 2),
        ];
    }

    private async Task<double[]> MeasureOnceAsync(ServerUnderTest server, int count, int chunks, CancellationToken cancellationToken)
    {
        var delays = new Delays(chunks, count);
        var path = await server.NewStreamAsync(cancellationToken);
        using var appends = await Appends.OpenAsync(server, path, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var readers = new List<EventReader>();
        try
        {
            var reading = new List<Task>();
            for (var i = 0; i < count; i++)
            {
                var reader = await EventReader.OpenAsync(server, path, 0, delays.Arrive, cancellationToken, bufferBytes: 1024);
                readers.Add(reader);
                reading.Add(Task.Run(() => reader.ReadAsync(stop.Token), cancellationToken));
            }
            await Task.WhenAll(readers.Select(reader => reader.CaughtUp)).WaitAsync(Limit, cancellationToken);
            await Pace.RunAsync(
                chunks,
                perSecond,
                async i =>
                {
                    var request = appends.RequestFor(Chunks.Numbered(i, Bytes));
                    delays.Begin(i);
                    await appends.AppendAsync(request, cancellationToken);
                },
                cancellationToken);
            await delays.WaitAsync(Limit, cancellationToken);
            await stop.CancelAsync();
            await Task.WhenAll(reading);
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
        return [.. Shares(delays.ToSamples()), delays.Missing + delays.Strays];
    }

    private static double[] Shares(Samples samples) => [samples.Percentile(0.5), samples.Percentile(0.99)];
}
