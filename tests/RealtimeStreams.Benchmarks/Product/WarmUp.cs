using RealtimeStreams.Benchmarks.Measuring;

namespace RealtimeStreams.Benchmarks.Product;

/// <summary>Some of everything that the rows ask of a server.</summary>
internal static class WarmUp
{
    private const int Readers = 20;

    public static async Task RunAsync(ServerUnderTest server, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var path = await server.NewStreamAsync(cancellationToken);
        var readers = new List<EventReader>();
        try
        {
            for (var i = 0; i < Readers; i++) readers.Add(await EventReader.OpenAsync(server, path, 0, _ => { }, cancellationToken));
            var reading = readers.ConvertAll(reader => Task.Run(() => reader.ReadAsync(stop.Token), cancellationToken));
            await Task.WhenAll(AppendAsync(server, path, duration, cancellationToken), SendAsync(server, duration, cancellationToken));
            await stop.CancelAsync();
            await Task.WhenAll(reading);
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    private static async Task AppendAsync(ServerUnderTest server, string path, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var appends = await Appends.OpenAsync(server, path, cancellationToken);
        var request = appends.RequestFor(Chunks.OfBytes(64));
        await ClosedLoop.TimeAsync(duration, () => appends.AppendAsync(request, cancellationToken));
    }

    private static async Task SendAsync(ServerUnderTest server, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var appends = await Appends.OpenAsync(server, await server.NewStreamAsync(cancellationToken), cancellationToken);
        var piece = Appends.PieceOf(Chunks.OfBytes(64), 16);
        await appends.BeginAsync("warm-up", cancellationToken);
        await ClosedLoop.TimeAsync(
            duration,
            async () =>
            {
                await appends.SendAsync(piece, cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellationToken);
            });
        await appends.EndAsync(cancellationToken);
    }
}
