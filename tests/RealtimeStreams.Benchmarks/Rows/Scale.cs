using System.Globalization;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>The cost of an append and of a seek must not grow with what is stored already.</summary>
internal sealed class Scale : Row
{
    private const int Bytes = 64;
    private const int Small = 10_000;

    public override string Id => "scale";

    public override string Title => "append and seek beside many other streams, and far into a stream (over HTTP, p50)";

    public override string Baseline => "the same on an empty broker, in a stream of 10,000 chunks";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var others = context.Quick ? 10_000 : 100_000;
        var far = context.Quick ? 100_000 : 1_000_000;
        await using var quietBroker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var quietServer = await ServerUnderTest.StartAsync(quietBroker, cancellationToken);
        await using var fullBroker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var fullServer = await ServerUnderTest.StartAsync(fullBroker, cancellationToken);

        var quiet = await FillAsync(quietServer, Small, cancellationToken);
        // While the others come, so that its records lie between theirs.
        var filling = FillAsync(fullServer, far, cancellationToken);
        await MakeOthersAsync(fullBroker, others, cancellationToken);
        var deep = await filling;
        var beside = await FillAsync(fullServer, Small, cancellationToken);

        using var quietAppends = await Appends.OpenAsync(quietServer, quiet, cancellationToken);
        using var besideAppends = await Appends.OpenAsync(fullServer, beside, cancellationToken);
        using var deepAppends = await Appends.OpenAsync(fullServer, deep, cancellationToken);
        var random = new Random(20261122);
        var rounds = new Rounds()
            .Add("append, quiet", cancellation => AppendAsync(quietAppends, context.Slice, cancellation))
            .Add("append, beside", cancellation => AppendAsync(besideAppends, context.Slice, cancellation))
            .Add("append, deep", cancellation => AppendAsync(deepAppends, context.Slice, cancellation))
            .Add("seek, quiet", cancellation => SeekAsync(quietServer, quiet, () => random.Next(Small), context.Slice, cancellation))
            .Add("seek, beside", cancellation => SeekAsync(fullServer, beside, () => random.Next(Small), context.Slice, cancellation))
            .Add("seek, deep", cancellation => SeekAsync(fullServer, deep, () => random.Next(far), context.Slice, cancellation));
        await rounds.RunAsync(context.Rounds, cancellationToken);
        return
        [
            rounds.Compare($"append beside {others:N0} other streams", "ms", "append, quiet", "append, beside", Target.AtMost(1.3)),
            rounds.Compare($"append at chunk {far:N0}", "ms", "append, quiet", "append, deep", Target.AtMost(1.3)),
            rounds.Compare($"seek beside {others:N0} other streams", "ms", "seek, quiet", "seek, beside", Target.AtMost(1.3)),
            rounds.Compare($"seek among {far:N0} chunks", "ms", "seek, quiet", "seek, deep", Target.AtMost(1.3)),
        ];
    }

    /// <summary>A stream of so many chunks, through one open body.</summary>
    private static async Task<string> FillAsync(ServerUnderTest server, int chunks, CancellationToken cancellationToken)
    {
        const int lines = 100;
        var path = await server.NewStreamAsync(cancellationToken);
        using var appends = await Appends.OpenAsync(server, path, cancellationToken);
        var piece = Appends.PieceOf(Chunks.OfBytes(Bytes), lines);
        await appends.BeginAsync("filling", cancellationToken);
        for (var sent = 0; sent < chunks; sent += lines) await appends.SendAsync(piece, cancellationToken);
        var receipt = await appends.EndAsync(cancellationToken);
        if (receipt.Stored != chunks) throw new InvalidDataException($"{receipt.Stored} of {chunks} chunks were stored.");
        return path;
    }

    /// <summary>So many streams of one chunk each, through the log itself.</summary>
    private static async Task MakeOthersAsync(TestBroker broker, int count, CancellationToken cancellationToken)
    {
        await using var node = await LogNode.StartAsync(broker, cancellationToken);
        var chunk = Chunks.OfBytes(Bytes);
        await Parallel.ForAsync(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = 256, CancellationToken = cancellationToken },
            async (_, _) => await node.AppendAsync(LogNode.NewStream(), chunk));
    }

    private static async Task<double> AppendAsync(Appends appends, TimeSpan duration, CancellationToken cancellationToken)
    {
        var request = appends.RequestFor(Chunks.OfBytes(Bytes));
        return (await ClosedLoop.TimeAsync(duration, () => appends.AppendAsync(request, cancellationToken))).Percentile(0.5);
    }

    /// <summary>One chunk at a random index, as a JSON page.</summary>
    private static async Task<double> SeekAsync(
        ServerUnderTest server, string path, Func<int> pick, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var page = await PageReader.OpenAsync(server, cancellationToken);
        return (await ClosedLoop.TimeAsync(
            duration,
            async () =>
            {
                var index = pick();
                var body = await page.ReadAsync(path + string.Create(CultureInfo.InvariantCulture, $"?startIndex={index}&limit=1"), cancellationToken);
                if (body.RootElement.GetProperty("chunks")[0].GetProperty("index").GetInt64() != index) throw new InvalidDataException($"Index {index} was asked for.");
            })).Percentile(0.5);
    }
}
