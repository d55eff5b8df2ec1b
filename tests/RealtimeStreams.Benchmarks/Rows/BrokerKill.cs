using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RealtimeStreams.Benchmarks.Measuring;
using RealtimeStreams.Benchmarks.Product;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Benchmarks.Rows;

/// <summary>The broker dies in the middle of everything, without a word, and comes back.</summary>
internal sealed class BrokerKill : Row
{
    private const int Streams = 4;
    private const int ProducersPerStream = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    public override string Id => "broker-kill";

    public override string Title => "kill -9 of the broker under load: 16 producers, 4 streams, over HTTP";

    public override string Baseline => "none";

    public override async Task<IReadOnlyList<Figure>> MeasureAsync(RowContext context, CancellationToken cancellationToken)
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: cancellationToken);
        await using var server = await ServerUnderTest.StartAsync(broker, cancellationToken);
        var rounds = new Rounds().Add("kill", cancellation => KillAsync(broker, server, context, cancellation));
        await rounds.RunAsync(Math.Min(context.Rounds, 3), cancellationToken);
        return
        [
            rounds.TellWorst("acknowledged and lost", "chunks", "kill", Target.Within(0)),
            rounds.TellWorst("stored twice", "chunks", "kill", Target.Within(0), value: 1),
            rounds.TellWorst("out of their producer's order, or holes", "chunks", "kill", Target.Within(0), value: 2),
            rounds.TellWorst("first acknowledgement after it is back", "ms", "kill", Target.Within(1500), value: 3),
            rounds.TellWorst("last producer's first acknowledgement", "ms", "kill", null, value: 4),
            rounds.Tell("acknowledged", "chunks", "kill", null, value: 5),
        ];
    }

    private static async Task<double[]> KillAsync(TestBroker broker, ServerUnderTest server, RowContext context, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var paths = new List<string>();
        for (var i = 0; i < Streams; i++) paths.Add(await server.NewStreamAsync(cancellationToken));
        var producers = Enumerable.Range(0, Streams * ProducersPerStream).Select(i => new Producer(server, paths[i % Streams], i)).ToList();
        var working = producers.ConvertAll(producer => Task.Run(() => producer.RunAsync(stop.Token), cancellationToken));

        await Task.Delay(context.Slice, TimeProvider.System, cancellationToken);
        broker.Kill();
        await broker.StartAgainAsync(cancellationToken);
        var back = Stopwatch.GetTimestamp();
        var began = back;
        while (producers.Exists(producer => producer.LastAcknowledged < back))
        {
            if (Stopwatch.GetElapsedTime(began) > Limit) throw new TimeoutException($"A producer had no acknowledgement for {Limit.TotalSeconds:0} s after the broker was back.");
            await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken);
        }
        await Task.Delay(context.Slice, TimeProvider.System, cancellationToken);
        await stop.CancelAsync();
        await Task.WhenAll(working);

        var firsts = producers.ConvertAll(producer => Stopwatch.GetElapsedTime(back, producer.FirstAcknowledgedAfter(back)).TotalMilliseconds);
        var found = await CountAsync(server, paths, producers, cancellationToken);
        return [found.Lost, found.Twice, found.Disordered, firsts.Min(), firsts.Max(), producers.Sum(producer => producer.Acknowledged)];
    }

    /// <summary>Reads everything and compares it with what was acknowledged.</summary>
    private static async Task<(double Lost, double Twice, double Disordered)> CountAsync(
        ServerUnderTest server, List<string> paths, List<Producer> producers, CancellationToken cancellationToken)
    {
        var seen = producers.ConvertAll(_ => new HashSet<int>());
        var last = producers.ConvertAll(_ => -1);
        double twice = 0, disordered = 0;
        using var page = await PageReader.OpenAsync(server, cancellationToken);
        foreach (var path in paths)
        {
            long next = 0;
            for (var more = true; more;)
            {
                using var body = await page.ReadAsync(path + string.Create(CultureInfo.InvariantCulture, $"?startIndex={next}&limit=1000"), cancellationToken);
                more = false;
                foreach (var chunk in body.RootElement.GetProperty("chunks").EnumerateArray())
                {
                    more = true;
                    if (chunk.GetProperty("index").GetInt64() != next++) disordered++;
                    var data = chunk.GetProperty("data");
                    var (producer, number) = (data[0].GetInt32(), data[1].GetInt32());
                    if (!seen[producer].Add(number)) twice++;
                    else if (number != last[producer] + 1) disordered++;
                    last[producer] = number;
                }
            }
        }
        var lost = producers.Sum(producer => Enumerable.Range(0, producer.Acknowledged).Count(number => !seen[producer.Number].Contains(number)));
        return (lost, twice, disordered);
    }

    /// <summary>Appends one numbered chunk after the other, repeating each until it is acknowledged.</summary>
    private sealed class Producer(ServerUnderTest server, string path, int number)
    {
        private readonly List<long> acknowledgedAt = [];

        public int Number { get; } = number;

        public int Acknowledged => acknowledgedAt.Count;

        public long LastAcknowledged { get; private set; }

        public long FirstAcknowledgedAfter(long time) => acknowledgedAt.First(at => at >= time);

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                // Not cancelled in the middle: what is unknown at the end could be neither lost nor kept.
                while (!await TryAppendAsync()) await Task.Delay(RetryDelay, TimeProvider.System, CancellationToken.None);
                LastAcknowledged = Stopwatch.GetTimestamp();
                acknowledgedAt.Add(LastAcknowledged);
            }
        }

        private async Task<bool> TryAppendAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent(
                    string.Create(CultureInfo.InvariantCulture, $"[{Number},{Acknowledged}]"), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
                Headers =
                {
                    { NativeHeaders.ProducerId, string.Create(CultureInfo.InvariantCulture, $"producer-{Number}") },
                    { NativeHeaders.ProducerSequence, Acknowledged.ToString(CultureInfo.InvariantCulture) },
                },
            };
            using var answer = await server.Client.SendAsync(request, CancellationToken.None);
            if (answer.IsSuccessStatusCode) return true;
            var text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
            var problem = JsonSerializer.Deserialize(text, NativeJson.Default.Problem);
            return problem is { Retryable: true } ? false : throw new InvalidOperationException($"An append was answered with {(int)answer.StatusCode}: {text}");
        }
    }
}
