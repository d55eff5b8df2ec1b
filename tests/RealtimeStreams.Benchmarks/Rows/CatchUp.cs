using System.Diagnostics;
using RealtimeStreams.Benchmarks.Baseline;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>A reader that comes late and wants all.</summary>
internal sealed class CatchUp : Row
{
    private const int Bytes = 200;
    private const int LinesAtOnce = 64;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public override string Id => "catch-up";

    public override string Title => "catch-up of chunks of 200 bytes over HTTP, server-sent events";

    public override string Baseline => "ordered pull consumer, 1,000 at a time, one message per chunk";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var count = context.Quick ? 20_000 : 100_000;
        var (broker, server) = await context.Stage.GetAsync(cancellationToken);
        await using var plain = await PlainStream.CreateAsync(broker, cancellationToken);
        var path = await server.NewStreamAsync(cancellationToken);
        await plain.FillAsync(count, Bytes);
        await FillAsync(server, path, count, cancellationToken);

        var rounds = new Rounds()
            .Add("consumer", cancellation => plain.CatchUpPerSecondAsync(count, cancellation))
            .Add("events", cancellation => ReadAllAsync(server, path, count, cancellation));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return [rounds.Compare($"{count:N0} chunks", "chunks/s", "consumer", "events", Target.AtLeast(3))];
    }

    /// <summary>A request for every 64 chunks, each confirmed before the next: the log packs them as records of 64.</summary>
    private static async Task FillAsync(ServerUnderTest server, string path, int count, CancellationToken cancellationToken)
    {
        using var appends = await Appends.OpenAsync(server, path + "?batch=true", cancellationToken);
        var chunk = Chunks.OfBytes(Bytes);
        for (var stored = 0; stored < count;)
        {
            var lines = Math.Min(LinesAtOnce, count - stored);
            var array = (byte[])[(byte)'[', .. Enumerable.Repeat(chunk, lines).SelectMany((bytes, i) => i == 0 ? bytes : [(byte)',', .. bytes]), (byte)']'];
            await appends.AppendAsync(appends.RequestFor(array), cancellationToken);
            stored += lines;
        }
    }

    private static async Task<double> ReadAllAsync(ServerUnderTest server, string path, int count, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var next = 0L;
        void Arrive(long index)
        {
            if (index != next) throw new InvalidDataException($"Index {index} came where {next} was next.");
            next++;
        }
        using var reader = await EventReader.OpenAsync(server, path, 0, Arrive, cancellationToken, bufferBytes: 64 * 1024);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = reader.ReadAsync(stop.Token);
        await reader.CaughtUp.WaitAsync(Limit, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(began);
        await stop.CancelAsync();
        await reading;
        if (next != count) throw new InvalidDataException($"{next} of {count} chunks had come when the server said that this was all.");
        return count / elapsed.TotalSeconds;
    }
}
