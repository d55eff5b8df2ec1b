using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

public sealed class ReadingTests
{
    private static readonly RealtimeStream<string> Words = RealtimeStream.Define<string>("words");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_ends_with_the_streams_outcome()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(
            "retry: 1000\n\n" + ScriptedServer.Chunk(0, "\"a\"") + ": heartbeat\n\nevent: caught-up\ndata: {\"nextIndex\":1}\n\n" +
            ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2, "failed")));
        using var client = server.NewClient();
        var caughtUp = new List<long>();

        var read = client.Streams.ReadAsync(Words, "run_1", new ReadOptions { OnCaughtUp = caughtUp.Add }, Cancelled);
        var items = await read.Items.ToListAsync(Cancelled);

        Assert.Equal([new(0, "a"), new(1, "b")], items);
        Assert.Equal((ReadEnding.Closed, Outcome.Failed, 2L), (read.Ending, read.Outcome, read.NextIndex));
        Assert.Equal([1], caughtUp);
        Assert.Equal("GET /api/v1/runs/run_1/streams/words?startIndex=0", server.Requests.Single());
    }

    [Fact]
    public async Task A_read_cut_at_any_byte_goes_on_with_the_chunk_that_is_missing()
    {
        var all = ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2);
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        for (var cut = 0; cut < all.Length; cut++)
        {
            server.Requests.Clear();
            server.Reads.Enqueue(ScriptedServer.Events(all[..cut], cut: cut % 2 == 0));
            // The client may have seen less than was sent, so the rest begins where it asks.
            server.Reads.Enqueue(context => ScriptedServer.Events(
                context.Request.Query["startIndex"].ToString() switch
                {
                    "0" => all,
                    "1" => ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2),
                    _ => ScriptedServer.Ended(2),
                })(context));

            Assert.Equal(["a", "b"], await client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).ToListAsync(Cancelled));
            Assert.Equal(2, server.Requests.Count);
        }
    }

    [Fact]
    public async Task Chunks_that_come_again_are_dropped_and_a_jump_is_a_cut()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Chunk(2, "\"c\"")));
        server.Reads.Enqueue(ScriptedServer.Events(
            ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Chunk(2, "\"c\"") + ScriptedServer.Ended(3)));
        using var client = server.NewClient();

        Assert.Equal(["a", "b", "c"], await client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.EndsWith("startIndex=1", server.Requests.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_before_all_chunks_came_is_a_cut()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Ended(2)));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2)));
        using var client = server.NewClient();

        Assert.Equal(["a", "b"], await client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).ToListAsync(Cancelled));
    }

    [Fact]
    public async Task A_server_that_stops_or_fails_for_a_while_is_come_back_to()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + "event: reconnect\ndata: {\"nextIndex\":1}\n\n"));
        server.Reads.Enqueue(context => ScriptedServer.RefuseAsync(context, ErrorCode.ShuttingDown));
        server.Reads.Enqueue(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(1, "\"b\"") +
            "event: error\ndata: {\"status\":503,\"code\":\"log_unavailable\",\"retryable\":true}\n\n"));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Ended(2)));
        using var client = server.NewClient();

        Assert.Equal(["a", "b"], await client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task What_cannot_heal_ends_the_read_with_the_servers_code()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(context => ScriptedServer.RefuseAsync(context, ErrorCode.RunNotFound));
        server.Reads.Enqueue(ScriptedServer.Events("event: error\ndata: {\"status\":410,\"code\":\"stream_gone\",\"retryable\":false}\n\n"));
        using var client = server.NewClient();
        var read = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled);

        var refused = await Assert.ThrowsAsync<RealtimeStreamsException>(async () => await read.ToListAsync(Cancelled));
        Assert.Equal(("run_not_found", 404), (refused.Code, refused.Status));
        refused = await Assert.ThrowsAsync<RealtimeStreamsException>(async () => await read.ToListAsync(Cancelled));
        Assert.Equal(("stream_gone", 410), (refused.Code, refused.Status));
    }

    [Fact]
    public async Task A_read_stops_when_nothing_came_for_the_timeout()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(10, "\"a\"") + "event: timeout\ndata: {\"nextIndex\":11}\n\n"));
        using var client = server.NewClient();

        var read = client.Streams.ReadAsync(Words, "run_1", new ReadOptions { StartIndex = 10, Timeout = TimeSpan.FromSeconds(59.5) }, Cancelled);

        Assert.Equal(["a"], await read.ToListAsync(Cancelled));
        Assert.Equal((ReadEnding.TimedOut, null, 11L), (read.Ending, read.Outcome, read.NextIndex));
        Assert.EndsWith("?startIndex=10&timeoutInSeconds=60", server.Requests.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chunks_that_are_gone_are_never_skipped_silently()
    {
        const string Trimmed = "event: trimmed\ndata: {\"requestedIndex\":0,\"firstIndex\":5}\n\n";
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(Trimmed + ScriptedServer.Chunk(5, "\"f\"") + ScriptedServer.Ended(6)));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(5, "\"f\"") + ScriptedServer.Ended(6)));
        server.Reads.Enqueue(ScriptedServer.Events(Trimmed + ScriptedServer.Chunk(5, "\"f\"") + ScriptedServer.Ended(6)));
        using var client = server.NewClient();

        var read = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled);
        var gone = await Assert.ThrowsAsync<ChunksTrimmedException>(async () => await read.ToListAsync(Cancelled));
        Assert.Equal((0, 5), (gone.RequestedIndex, gone.FirstIndex));
        Assert.Equal(["f"], await read.ToListAsync(Cancelled)); // Whoever knows of the loss may go on.

        TrimmedEvent? told = null;
        var lenient = client.Streams.ReadAsync(Words, "run_1", new ReadOptions { OnTrimmed = trimmed => told = trimmed }, Cancelled);
        Assert.Equal(["f"], await lenient.ToListAsync(Cancelled));
        Assert.Equal(new TrimmedEvent(0, 5), told);
    }

    [Fact]
    public async Task A_start_from_the_end_is_asked_for_until_an_index_is_known()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events("retry: 1000\n\n", cut: true));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(40, "\"a\""), cut: false));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(41, "\"b\"") + ScriptedServer.Ended(42)));
        using var client = server.NewClient();

        var read = client.Streams.ReadAsync(Words, "run_1", new ReadOptions { StartIndex = -2 }, Cancelled);

        Assert.Equal(["a", "b"], await read.ToListAsync(Cancelled));
        Assert.Equal(["-2", "-2", "41"], server.Requests.Select(request => request.Split('=')[1]));
    }

    [Fact]
    public async Task A_read_that_was_left_goes_on_where_it_was()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.SilenceAfter(ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Chunk(1, "\"b\"")));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2)));
        using var client = server.NewClient();

        var read = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled);
        await foreach (var word in read)
        {
            Assert.Equal("a", word);
            break;
        }
        Assert.Equal((1L, ReadEnding.None), (read.NextIndex, read.Ending));
        Assert.Equal([new(1, "b")], await read.Items.ToListAsync(Cancelled));
    }

    [Fact]
    public async Task A_chunk_of_another_type_is_an_error_at_its_index()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(0, "\"a\"") + ScriptedServer.Chunk(1, "{}")));
        using var client = server.NewClient();

        var read = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled);
        var fault = await Assert.ThrowsAsync<JsonException>(async () => await read.ToListAsync(Cancelled));

        Assert.Equal("Chunk 1 of the stream 'words' of run 'run_1' is no System.String.", fault.Message);
        Assert.Equal(1, read.NextIndex);
    }

    [Fact]
    public async Task Silence_for_longer_than_three_heartbeats_is_a_cut()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.SilenceAfter(ScriptedServer.Chunk(0, "\"a\"")));
        server.Reads.Enqueue(ScriptedServer.Events(ScriptedServer.Chunk(1, "\"b\"") + ScriptedServer.Ended(2)));
        var time = new ShortWaitsPass();
        using var client = server.NewClient(time: time);

        await using var reading = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).GetAsyncEnumerator(Cancelled);
        Assert.True(await reading.MoveNextAsync());
        var next = reading.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(44));
        Assert.Single(server.Requests);
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.True(await next.WaitAsync(Cancelled));
        Assert.Equal("b", reading.Current);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Two_enumerations_at_once_are_refused()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Reads.Enqueue(ScriptedServer.SilenceAfter(ScriptedServer.Chunk(0, "\"a\"")));
        using var client = server.NewClient();
        var read = client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled);
        await using var first = read.GetAsyncEnumerator(Cancelled);
        Assert.True(await first.MoveNextAsync());

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await read.ToListAsync(Cancelled));
    }

    [Fact]
    public async Task A_server_that_nobody_reaches_is_given_up()
    {
        using var client = new RealtimeStreamsClient(new RealtimeStreamsClientOptions
        {
            BaseAddress = new Uri("http://127.0.0.1:1"),
            SecretKey = "k",
            GiveUpAfter = TimeSpan.Zero,
        });

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(
            async () => await client.Streams.ReadAsync(Words, "run_1", cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal((RealtimeStreamsException.Unreachable, true), (failure.Code, failure.Retryable));
        Assert.IsType<HttpRequestException>(failure.InnerException);
    }

    [Fact]
    public async Task The_tail_tells_where_a_stream_stands()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Others = (context, _) =>
        {
            context.Response.Headers[NativeHeaders.NextIndex] = "12";
            context.Response.Headers[NativeHeaders.FirstIndex] = "3";
            context.Response.Headers[NativeHeaders.State] = "closed";
            context.Response.Headers[NativeHeaders.Outcome] = "abandoned";
            return Task.CompletedTask;
        };
        using var client = server.NewClient();

        Assert.Equal(new StreamTail(3, 12, true, Outcome.Abandoned), await client.Streams.GetTailAsync("run_1", "words", Cancelled));
        Assert.Equal("HEAD /api/v1/runs/run_1/streams/words", server.Requests.Single());
    }

    /// <summary>The test owns the long waits; those between two tries pass by themselves.</summary>
    private sealed class ShortWaitsPass : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            dueTime < TimeSpan.FromSeconds(1) ? System.CreateTimer(callback, state, dueTime, period) : base.CreateTimer(callback, state, dueTime, period);
    }
}
