using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>What a reader costs that only waits.</summary>
internal sealed class IdleReaders : Row
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    public override string Id => "idle-readers";

    public override string Title => "idle SSE reader, managed memory of the server";

    public override string Baseline => "none";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        var readers = context.Quick ? 500 : 2000;
        return
        [
            await WeighAsync($"{readers:N0} readers of one stream", readers, streams: 1, cancellationToken),
            await WeighAsync($"{readers:N0} readers of {readers:N0} streams", readers, streams: readers, cancellationToken),
        ];
    }

    private static async Task<Figure> WeighAsync(string what, int count, int streams, CancellationToken cancellationToken)
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var server = await ServerUnderTest.StartWeighedAsync(broker, cancellationToken);
        var path = await server.NewStreamAsync(cancellationToken);
        await Parallel.ForAsync(0, streams, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (i, cancellation) =>
        {
            using var appends = await Appends.OpenAsync(server, $"{path}-{i}", cancellation);
            await appends.AppendAsync(appends.RequestFor(Chunks.OfBytes(64)), cancellation);
        });

        await ReadAsync(server, path, 50, streams, () => Task.CompletedTask, cancellationToken); // What is made once is not counted.
        var before = await server.WeighAsync(cancellationToken);
        var after = 0L;
        await ReadAsync(
            server,
            path,
            count,
            streams,
            async () =>
            {
                await Task.Delay(Settle, TimeProvider.System, cancellationToken);
                after = await server.WeighAsync(cancellationToken);
            },
            cancellationToken);
        var each = (after - before) / 1024.0 / count;
        return new Figure(what, "KB each", null, each, null, Target.Within(20), null, [each]);
    }

    private static async Task ReadAsync(
        ServerUnderTest server, string path, int count, int streams, Func<Task> meanwhile, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var readers = new List<EventReader>();
        try
        {
            var reading = new List<Task>();
            for (var i = 0; i < count; i++)
            {
                var reader = await EventReader.OpenAsync(server, $"{path}-{i % streams}", 0, _ => { }, cancellationToken, bufferBytes: 1024);
                readers.Add(reader);
                reading.Add(Task.Run(() => reader.ReadAsync(stop.Token), cancellationToken));
            }
            await Task.WhenAll(readers.Select(reader => reader.CaughtUp)).WaitAsync(Limit, cancellationToken);
            await meanwhile();
            await stop.CancelAsync();
            await Task.WhenAll(reading);
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }
}
