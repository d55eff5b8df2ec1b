using RealtimeStreams.Benchmarks.Measuring;

namespace RealtimeStreams.Benchmarks.Baseline;

/// <summary>Following the plain stream as NATS.Net offers it.</summary>
internal static class PlainTail
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WarmUpInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Publishes numbered chunks at a steady rate; from the start of each publish to its arrival at an ordered consumer.</summary>
    public static Task<Samples> FollowAsync(PlainStream plain, int chunks, double perSecond, int bytes, CancellationToken cancellationToken) =>
        MeasureAsync(
            plain,
            new Delays(chunks, readers: 1),
            chunks,
            perSecond,
            bytes,
            async (arrived, cancellation) =>
            {
                var consumer = await plain.ConsumeInOrderAsync(fromStart: false, cancellation);
                await foreach (var message in consumer.ConsumeAsync<byte[]>(cancellationToken: cancellation)) arrived(Chunks.NumberOf(message.Data));
            },
            cancellationToken);

    /// <summary>The same, from what the broker repeats to many tasks of this process, each woken for what it has not seen; to the last of them.</summary>
    public static async Task<Samples> FanOutAsync(
        PlainStream plain, int readers, int chunks, double perSecond, int bytes, CancellationToken cancellationToken)
    {
        var delays = new Delays(chunks, readers);
        var board = new Board(chunks);
        var reading = Enumerable.Range(0, readers).Select(_ => Task.Run(() => ReadAsync(board, delays), cancellationToken)).ToArray();
        var samples = await MeasureAsync(
            plain,
            delays,
            chunks,
            perSecond,
            bytes,
            async (arrived, cancellation) =>
            {
                await foreach (var message in plain.Connection.SubscribeAsync<byte[]>(plain.RepeatedSubject, cancellationToken: cancellation))
                {
                    var number = Chunks.NumberOf(message.Data);
                    if (number < 0) arrived(number);
                    else board.Post(number);
                }
            },
            cancellationToken);
        board.Close();
        await Task.WhenAll(reading);
        return samples;
    }

    private static async Task<Samples> MeasureAsync(
        PlainStream plain,
        Delays delays,
        int chunks,
        double perSecond,
        int bytes,
        Func<Action<int>, CancellationToken, Task> follow,
        CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var following = Task.Run(
            async () =>
            {
                try
                {
                    await follow(
                        number =>
                        {
                            ready.TrySetResult();
                            if (number >= 0) delays.Arrive(number);
                        },
                        stop.Token);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                }
            },
            cancellationToken);
        // A consumer tells nobody that it has begun: chunks without a number are sent until one arrives.
        var unnumbered = Chunks.OfBytes(bytes);
        while (!ready.Task.IsCompleted && !following.IsCompleted)
        {
            await plain.PublishAsync(unnumbered);
            await Task.Delay(WarmUpInterval, TimeProvider.System, cancellationToken);
        }
        await Pace.RunAsync(
            chunks,
            perSecond,
            async i =>
            {
                var chunk = Chunks.Numbered(i, bytes);
                delays.Begin(i);
                await plain.PublishAsync(chunk);
            },
            cancellationToken);
        var complete = await delays.WaitAsync(Limit, cancellationToken);
        await stop.CancelAsync();
        await following;
        if (!complete || delays.Strays > 0) throw new InvalidDataException($"The baseline lost {delays.Missing} deliveries; {delays.Strays} came twice.");
        return delays.ToSamples();
    }

    private static async Task ReadAsync(Board board, Delays delays)
    {
        for (var cursor = 0; !board.IsClosed;)
        {
            var more = board.More; // First, or a chunk slips in between.
            for (; cursor < board.Count; cursor++) delays.Arrive(board[cursor]);
            await more;
        }
    }

    /// <summary>What has come, in order, and a signal for what comes next. One poster.</summary>
    private sealed class Board(int capacity)
    {
        private readonly int[] numbers = new int[capacity];
        private volatile TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile int count;
        private volatile bool closed;

        public bool IsClosed => closed;

        public Task More => more.Task;

        public int Count => count;

        public int this[int position] => numbers[position];

        public void Post(int number)
        {
            numbers[count] = number;
            count++;
            Signal();
        }

        public void Close()
        {
            closed = true;
            Signal();
        }

        private void Signal()
        {
            var before = more;
            more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            before.SetResult();
        }
    }
}
