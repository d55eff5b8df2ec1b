using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>From the moment a writer has a chunk to the moment its event is at a reader.</summary>
internal sealed class Live : Row
{
    private const double PerSecond = 400;
    private const int Bytes = 64;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public override string Id => "live";

    public override string Title => "append start → SSE event at a reader, 400 chunks/s";

    public override string Baseline => "publish start → ordered consumer";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var chunks = (int)(PerSecond * context.Slice.TotalSeconds * 3);
        var (broker, server) = await context.Stage.GetAsync(cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        var rounds = new Rounds()
            .Add("consumer", async cancellation => Shares(await PlainTail.FollowAsync(plain, chunks, PerSecond, Bytes, cancellation)))
            .Add("body", async cancellation => Shares(await FollowAsync(server, chunks, openBody: true, cancellation)))
            .Add("requests", async cancellation => Shares(await FollowAsync(server, chunks, openBody: false, cancellation)));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return
        [
            rounds.Compare("p50, an open body", "ms", "consumer", "body", Target.AtMost(2)),
            rounds.Compare("p99, an open body", "ms", "consumer", "body", Target.AtMost(2), value: 1),
            rounds.Compare("p50, a request a chunk", "ms", "consumer", "requests", Target.AtMost(2)),
            rounds.Compare("p99, a request a chunk", "ms", "consumer", "requests", Target.AtMost(2), value: 1),
        ];
    }

    private static async Task<Samples> FollowAsync(ServerUnderTest server, int chunks, bool openBody, CancellationToken cancellationToken)
    {
        var delays = new Delays(chunks, readers: 1);
        var path = await server.NewStreamAsync(cancellationToken);
        using var appends = await Appends.OpenAsync(server, path, cancellationToken);
        using var reader = await EventReader.OpenAsync(server, path, 0, delays.Arrive, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = Task.Run(() => reader.ReadAsync(stop.Token), cancellationToken);
        await reader.CaughtUp.WaitAsync(Limit, cancellationToken);

        if (openBody) await appends.BeginAsync("benchmark", cancellationToken);
        await Pace.RunAsync(
            chunks,
            PerSecond,
            async i =>
            {
                var chunk = Chunks.Numbered(i, Bytes);
                var bytes = openBody ? Appends.PieceOf(chunk, 1) : appends.RequestFor(chunk);
                delays.Begin(i);
                if (openBody) await appends.SendAsync(bytes, cancellationToken);
                else await appends.AppendAsync(bytes, cancellationToken);
            },
            cancellationToken);
        if (openBody) await appends.EndAsync(cancellationToken);
        var complete = await delays.WaitAsync(Limit, cancellationToken);
        await stop.CancelAsync();
        await reading;
        if (!complete || delays.Strays > 0) throw new InvalidDataException($"{delays.Missing} chunks did not arrive, {delays.Strays} came twice.");
        return delays.ToSamples();
    }

    private static double[] Shares(Samples samples) => [samples.Percentile(0.5), samples.Percentile(0.99)];
}
