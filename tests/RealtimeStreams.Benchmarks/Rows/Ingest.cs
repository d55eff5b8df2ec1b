using System.Diagnostics;
using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>What open bodies of small chunks come to.</summary>
internal sealed class Ingest : Row
{
    private const int Bytes = 64;
    private const int Streams = 16;
    private const int LinesAtOnce = 128;

    public override string Id => "ingest";

    public override string Title => "ingest of 64-byte chunks over HTTP, 16 streams, open bodies";

    public override string Baseline => "BASE: NATS.Net PublishAsync, 256 in flight";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var (broker, server) = await context.Stage.GetAsync(cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        var rounds = new Rounds()
            .Add("BASE", _ => plain.PublishPerSecondAsync(Bytes, context.Slice))
            .Add("ingest", cancellation => IngestAsync(server, context.Slice * 2, cancellation))
            .RepeatBelow(RowContext.QuietBaseline, "BASE");
        await rounds.RunAsync(context.Rounds, cancellationToken);
        context.Notes.AddRange(rounds.Notes);
        return [rounds.Compare($"{Streams} streams, pieces of {LinesAtOnce} lines", "chunks/s", "BASE", "ingest", Target.AtLeast(5))];
    }

    /// <summary>Sends as fast as the server takes it; confirmed chunks a second, up to the last confirmation.</summary>
    private static async Task<double> IngestAsync(ServerUnderTest server, TimeSpan duration, CancellationToken cancellationToken)
    {
        var piece = Appends.PieceOf(Chunks.OfBytes(Bytes), LinesAtOnce);
        var writers = new List<Appends>();
        try
        {
            for (var i = 0; i < Streams; i++)
            {
                writers.Add(await Appends.OpenAsync(server, await server.NewStreamAsync(cancellationToken), cancellationToken));
                await writers[i].BeginAsync("benchmark", cancellationToken);
            }
            var began = Stopwatch.GetTimestamp();
            var until = began + (long)(duration.TotalSeconds * Stopwatch.Frequency);
            var stored = await Task.WhenAll(writers.Select(writer => Task.Run(
                async () =>
                {
                    var sent = 0L;
                    for (; Stopwatch.GetTimestamp() < until; sent += LinesAtOnce) await writer.SendAsync(piece, cancellationToken);
                    var receipt = await writer.EndAsync(cancellationToken);
                    if (receipt.Stored != sent) throw new InvalidDataException($"{sent} chunks were sent, {receipt.Stored} stored.");
                    return sent;
                },
                cancellationToken)));
            return stored.Sum() / Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
        finally
        {
            writers.ForEach(writer => writer.Dispose());
        }
    }
}
