using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Sdk.Http;

namespace RealtimeStreams.Sdk.Tests;

public sealed class RetriesTests
{
    private static readonly RealtimeStreamsException Passing = new("later") { Retryable = true };
    private readonly FakeTimeProvider time = new();
    private readonly RealtimeStreamsClientOptions options = new()
    {
        MinBackoff = TimeSpan.FromMilliseconds(20),
        MaxBackoff = TimeSpan.FromSeconds(5),
        GiveUpAfter = TimeSpan.FromMinutes(1),
    };

    [Fact]
    public async Task Waits_double_up_to_the_longest_with_half_of_it_left_to_chance()
    {
        var retries = NewRetries(seed: 42);
        double[] full = [20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000];
        foreach (var most in full)
        {
            var waited = await WaitAsync(retries);
            Assert.InRange(waited.TotalMilliseconds, most / 2, most + 1);
        }
    }

    [Fact]
    public async Task A_success_begins_anew()
    {
        var retries = NewRetries(seed: 1);
        for (var i = 0; i < 8; i++) await WaitAsync(retries);
        retries.Succeed();

        Assert.InRange((await WaitAsync(retries)).TotalMilliseconds, 10, 21);
    }

    [Fact]
    public void The_server_may_ask_for_a_longer_wait_but_not_for_a_shorter_one()
    {
        var retries = NewRetries(seed: 1);

        Assert.Equal(TimeSpan.FromSeconds(30), retries.NextWait(TimeSpan.FromSeconds(30)));
        Assert.InRange(retries.NextWait(TimeSpan.FromSeconds(-3)).TotalMilliseconds, 10, 20);
        Assert.Equal(TimeSpan.FromDays(1), retries.NextWait(TimeSpan.MaxValue)); // No timer takes what a header may say.
    }

    [Fact]
    public async Task It_gives_up_after_a_time_without_success()
    {
        var retries = NewRetries(seed: 3);
        var started = time.GetTimestamp();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(async () =>
        {
            while (true) await WaitAsync(retries);
        });

        Assert.Same(Passing, failure);
        Assert.InRange(time.GetElapsedTime(started).TotalSeconds, 50, 60);
    }

    [Fact]
    public async Task What_cannot_heal_is_not_tried_again()
    {
        var final = new RealtimeStreamsException("never");
        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(
            async () => await NewRetries(seed: 1).WaitAsync(final, null, TestContext.Current.CancellationToken));

        Assert.Same(final, failure);
    }

    /// <summary>As HttpClient says of connections that are reset right after they are made, and of those that cannot be made.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_connection_is_not_made_is_made_again(bool isBare)
    {
        Exception reset = new SocketException((int)SocketError.NotConnected);
        if (!isBare) reset = new HttpRequestException("Refused.", reset);
        var failed = new HashSet<string>();
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Ended(1)));
        using var http = new HttpClient(new FailingHandler(request => failed.Add($"{request.Method} {request.RequestUri}") ? reset : null)
        {
            InnerHandler = new SocketsHttpHandler(),
        });
        using var client = new RealtimeStreamsClient(server.NewOptions(), http);
        var cancelled = TestContext.Current.CancellationToken;

        await client.Streams.AppendAsync("appended", "one", new AppendOptions { Target = "run_1" }, cancelled);
        var receipt = await client.Streams.Pipe(
            RealtimeStream.Define<string>("piped"), new[] { "two" }.ToAsyncEnumerable(), new PipeOptions { Target = "run_1" }, cancelled).Completion;
        var read = await client.Streams.ReadAsync(RealtimeStream.Define<string>("read"), "run_1", cancellationToken: cancelled).ToListAsync(cancelled);

        Assert.Equal(["\"one\"", "\"two\""], server.Chunks);
        Assert.Equal(1, receipt.Chunks);
        Assert.Equal(["a"], read);
        Assert.Equal(3, failed.Count);
    }

    private Retries NewRetries(int seed) =>
        new(options, time, NullLogger.Instance, new SdkTelemetry(null), "test", new Random(seed));

    /// <summary>Drives the clock a millisecond at a time until the wait is over.</summary>
    private async Task<TimeSpan> WaitAsync(Retries retries)
    {
        var started = time.GetTimestamp();
        var waiting = retries.WaitAsync(Passing, null, TestContext.Current.CancellationToken).AsTask();
        while (!waiting.IsCompleted) time.Advance(TimeSpan.FromMilliseconds(1));
        await waiting;
        return time.GetElapsedTime(started);
    }
}
