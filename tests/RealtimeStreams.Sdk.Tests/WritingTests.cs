using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

public sealed class WritingTests
{
    private static readonly RealtimeStream<int> Numbers = RealtimeStream.Define<int>("numbers");
    private static readonly PipeOptions ToRun = new() { Target = "run_1" };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pipe_returns_at_once_and_completes_when_all_is_acknowledged()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        var go = new TaskCompletionSource();

        var pipe = client.Streams.Pipe(Numbers, CountAsync(3, go.Task), ToRun, Cancelled);
        Assert.False(pipe.Completion.IsCompleted);
        go.SetResult();
        var receipt = await pipe.WaitUntilCompleteAsync(Cancelled);

        Assert.Equal(["0", "1", "2"], server.Chunks);
        Assert.Equal((3, 0, 3), (receipt.Chunks, receipt.FirstIndex, receipt.NextIndex));
        Assert.Equal(22, receipt.ProducerId.Length);
    }

    [Fact]
    public async Task A_pipe_whose_source_is_silent_holds_a_body_open_until_it_goes_on()
    {
        await using var server = await ScriptedServer.StartAsync();
        var (held, ended) = (new TaskCompletionSource(), new TaskCompletionSource<string>());
        server.AppendFaults.Enqueue((_, store) => store());
        server.AppendFaults.Enqueue(async (context, _) =>
        {
            held.SetResult();
            using var reader = new StreamReader(context.Request.Body);
            ended.SetResult(await reader.ReadToEndAsync());
            await context.Response.WriteAsync("""{"nextIndex":1,"stored":0,"duplicates":0}""");
        });
        using var client = server.NewClient();
        var go = new TaskCompletionSource();

        var pipe = client.Streams.Pipe(Numbers, PauseAsync(go.Task), ToRun, Cancelled);
        await held.Task.WaitAsync(Cancelled);
        Assert.False(ended.Task.IsCompleted);
        go.SetResult();
        await pipe.WaitUntilCompleteAsync(Cancelled);

        Assert.Equal("", await ended.Task.WaitAsync(Cancelled));
        Assert.Equal(["0", "1"], server.Chunks);
        Assert.Equal(3, server.Requests.Count);

        static async IAsyncEnumerable<int> PauseAsync(Task until)
        {
            yield return 0;
            await until;
            yield return 1;
        }
    }

    [Fact]
    public async Task A_lost_answer_does_not_store_a_chunk_twice()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue(StoreAndLoseAnswer);
        server.AppendFaults.Enqueue(StoreAndLoseAnswer);
        using var client = server.NewClient();

        var receipt = await client.Streams.Pipe(Numbers, CountAsync(5000), ToRun, Cancelled).Completion;

        Assert.Equal(Enumerable.Range(0, 5000).Select(Text), server.Chunks);
        Assert.Equal(5000, receipt.Chunks);
        Assert.Empty(server.AppendFaults);
    }

    [Fact]
    public async Task An_append_whose_answer_was_lost_is_stored_once_and_told_its_index()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue(StoreAndLoseAnswer);
        using var client = server.NewClient();

        var receipt = await client.Streams.AppendAsync("k", "hello", new AppendOptions { Target = "run_1" }, Cancelled);

        Assert.Equal(["\"hello\""], server.Chunks);
        Assert.Equal(0, receipt.FirstIndex);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData("busy")]
    [InlineData("log_unavailable")]
    [InlineData("shutting_down")]
    [InlineData("store_full")]
    [InlineData("internal")]
    public async Task What_passes_is_tried_again(string code)
    {
        var error = new[] { ErrorCode.Busy, ErrorCode.LogUnavailable, ErrorCode.ShuttingDown, ErrorCode.StoreFull, ErrorCode.Internal }.Single(row => row.Code == code);
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, error));
        server.AppendFaults.Enqueue((context, _) => BareAsync(context, 502));
        server.AppendFaults.Enqueue((context, _) => BareAsync(context, 408));
        using var client = server.NewClient();

        await client.Streams.Pipe(Numbers, CountAsync(10), ToRun, Cancelled).Completion;

        Assert.Equal(Enumerable.Range(0, 10).Select(Text), server.Chunks);
    }

    [Fact]
    public async Task What_broke_off_goes_on_behind_what_was_stored()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue(async (context, _) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var receipt = server.Store(context.Request, await reader.ReadToEndAsync(), most: 1);
            await ScriptedServer.RefuseAsync(context, ErrorCode.LogUnavailable, receipt);
        });
        using var client = server.NewClient();

        var receipt = await client.Streams.Pipe(Numbers, CountAsync(100), ToRun, Cancelled).Completion;

        Assert.Equal(Enumerable.Range(0, 100).Select(Text), server.Chunks);
        Assert.Equal((100, 0, 100), (receipt.Chunks, receipt.FirstIndex, receipt.NextIndex));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(413)]
    [InlineData(504)]
    public async Task Where_only_small_requests_come_through_they_shrink_until_they_do(int status)
    {
        await using var server = await ScriptedServer.StartAsync();
        var broken = 0;
        for (var i = 0; i < 50; i++)
        {
            server.AppendFaults.Enqueue(async (context, store) =>
            {
                if (context.Request.ContentLength <= 1000)
                {
                    await store();
                    return;
                }
                broken++;
                if (status == 0) context.Abort();
                else context.Response.StatusCode = status;
            });
        }
        using var client = server.NewClient();

        await client.Streams.Pipe(Numbers, CountAsync(4000), ToRun, Cancelled).Completion;

        Assert.Equal(Enumerable.Range(0, 4000).Select(Text), server.Chunks);
        Assert.InRange(broken, 3, 40);
    }

    [Fact]
    public async Task What_cannot_heal_fails_the_pipe_at_once_and_stops_the_source()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.Fenced));
        using var client = server.NewClient();
        var stopped = new TaskCompletionSource();

        var pipe = client.Streams.Pipe(Numbers, EndlessAsync(stopped, CancellationToken.None), ToRun, Cancelled);
        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => pipe.Completion);

        Assert.Equal(("fenced", 409, false), (failure.Code, failure.Status, failure.Retryable));
        await stopped.Task.WaitAsync(Cancelled);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task What_the_source_throws_comes_after_all_before_it_is_stored()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();

        var pipe = client.Streams.Pipe(Numbers, FailingAsync(), ToRun, Cancelled);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => pipe.Completion);

        Assert.Equal("The model is gone.", failure.Message);
        Assert.Equal(["0", "1"], server.Chunks);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await pipe.Stream.ToListAsync(Cancelled));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_slows_the_source()
    {
        await using var server = await ScriptedServer.StartAsync();
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        server.AppendFaults.Enqueue(async (_, store) =>
        {
            asked.SetResult();
            await answer.Task;
            await store();
        });
        using var client = server.NewClient(options => options.MaxBufferedChunks = 16);
        var given = 0;
        var full = new TaskCompletionSource();

        var pipe = client.Streams.Pipe(Numbers, CountingAsync(), ToRun, Cancelled);
        await asked.Task.WaitAsync(Cancelled);
        await full.Task.WaitAsync(Cancelled);
        Assert.False(pipe.Completion.IsCompleted);
        Assert.InRange(Volatile.Read(ref given), 16, 17);
        answer.SetResult();

        Assert.Equal(1000, (await pipe.Completion).Chunks);
        Assert.Equal(Enumerable.Range(0, 1000).Select(Text), server.Chunks);

        async IAsyncEnumerable<int> CountingAsync()
        {
            for (var i = 0; i < 1000; i++)
            {
                await Task.Yield();
                if (Interlocked.Increment(ref given) == 16) full.SetResult();
                yield return i;
            }
        }
    }

    [Fact]
    public async Task Chunks_that_gather_while_a_request_is_in_flight_share_the_next()
    {
        await using var server = await ScriptedServer.StartAsync();
        var all = new TaskCompletionSource();
        server.AppendFaults.Enqueue(async (_, store) =>
        {
            await all.Task;
            await store();
        });
        using var client = server.NewClient();

        await client.Streams.Pipe(Numbers, NotifyingAsync(), ToRun, Cancelled).Completion;

        Assert.Equal(1000, server.Chunks.Count);
        Assert.InRange(server.Requests.Count, 2, 3);

        async IAsyncEnumerable<int> NotifyingAsync()
        {
            for (var i = 0; i < 1000; i++)
            {
                await Task.Yield();
                yield return i;
            }
            all.SetResult();
        }
    }

    [Fact]
    public async Task The_chunks_can_be_iterated_here_as_well()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();

        var pipe = client.Streams.Pipe(Numbers, CountAsync(10_000), ToRun with { LocalBufferChunks = 20_000 }, Cancelled);
        var here = await pipe.Stream.ToListAsync(Cancelled);
        await pipe.Completion;

        Assert.Equal(Enumerable.Range(0, 10_000), here);
        Assert.Equal(10_000, server.Chunks.Count);
    }

    [Fact]
    public async Task A_writer_merges_sources_that_interleave_and_each_keeps_its_order()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();

        var pipe = client.Streams.Writer<string>(
            "log",
            async writer =>
            {
                await writer.WriteAsync("begin", Cancelled);
                writer.Merge(PingAsync());
                writer.Merge(PongAsync());
                writer.Write("end of execute");
            },
            ToRun,
            Cancelled);
        await pipe.Completion;

        Assert.Equal(6, server.Chunks.Count);
        Assert.Equal("\"begin\"", server.Chunks[0]);
        Assert.Equal(["\"ping 1\"", "\"pong 1\"", "\"ping 2\"", "\"pong 2\""], server.Chunks.Where(chunk => chunk.Contains('p', StringComparison.Ordinal) && chunk.Contains(' ', StringComparison.Ordinal) && !chunk.Contains("end", StringComparison.Ordinal)));

        async IAsyncEnumerable<string> PingAsync()
        {
            yield return "ping 1";
            first.SetResult();
            await second.Task;
            yield return "ping 2";
            Pinged.SetResult();
        }

        async IAsyncEnumerable<string> PongAsync()
        {
            await first.Task;
            yield return "pong 1";
            second.SetResult();
            await Pinged.Task;
            yield return "pong 2";
        }
    }

    private TaskCompletionSource Pinged { get; } = new();

    [Fact]
    public async Task A_writer_that_throws_stops_what_it_merged()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        var stopped = new TaskCompletionSource();

        var pipe = client.Streams.Writer(
            Numbers,
            writer =>
            {
                writer.Merge(EndlessAsync(stopped, CancellationToken.None));
                throw new InvalidOperationException("broken");
            },
            ToRun,
            Cancelled);

        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => pipe.Completion)).Message);
        await stopped.Task.WaitAsync(Cancelled);
    }

    [Fact]
    public async Task A_writer_ends_though_what_is_called_when_it_stops_throws()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        var executed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var pipe = client.Streams.Writer(
            Numbers,
            writer =>
            {
                writer.Stopping.Register(() => throw new InvalidOperationException("a callback's"));
                writer.Merge(BrokenAsync());
                return Task.CompletedTask;
            },
            ToRun,
            Cancelled);
        executed.SetResult();

        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => pipe.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancelled))).Message);
        Assert.Equal(["1"], server.Chunks);

        async IAsyncEnumerable<int> BrokenAsync()
        {
            yield return 1;
            await executed.Task;
            throw new InvalidOperationException("broken");
        }
    }

    [Fact]
    public async Task A_pipe_that_the_server_refuses_says_so_though_what_is_called_when_it_stops_throws()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.StreamClosed));

        var pipe = client.Streams.Writer(
            Numbers,
            async writer =>
            {
                writer.Stopping.Register(() => throw new InvalidOperationException("a callback's"));
                await writer.WriteAsync(1, Cancelled);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, writer.Stopping);
            },
            ToRun,
            Cancelled);

        Assert.Equal("stream_closed", (await Assert.ThrowsAsync<RealtimeStreamsException>(() => pipe.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancelled))).Code);
    }

    [Fact]
    public async Task Cancelling_a_pipe_stops_its_source_and_its_upload()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        using var cancel = new CancellationTokenSource();
        var stopped = new TaskCompletionSource();

        var pipe = client.Streams.Pipe(Numbers, EndlessAsync(stopped, CancellationToken.None), ToRun, cancel.Token);
        await pipe.Stream.Take(3).ToListAsync(Cancelled);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pipe.Completion);
        await stopped.Task.WaitAsync(Cancelled);
    }

    [Fact]
    public async Task A_source_that_ignores_its_cancellation_does_not_hold_up_who_cancels()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        using var cancel = new CancellationTokenSource();
        var never = new TaskCompletionSource();

        var pipe = client.Streams.Pipe(Numbers, CountAsync(1, never.Task), ToRun, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pipe.Completion);
        never.SetResult();
    }

    [Fact]
    public async Task A_producers_name_that_was_used_in_the_same_epoch_is_noticed()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();
        var named = ToRun with { ProducerId = "worker-7", Epoch = 3 };
        await client.Streams.Pipe(Numbers, CountAsync(2), named, Cancelled).Completion;

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(
            () => client.Streams.Pipe(Numbers, CountAsync(5), named, Cancelled).Completion);
        Assert.Equal(RealtimeStreamsException.ProducerReused, failure.Code);

        await client.Streams.Pipe(Numbers, CountAsync(2), named with { Epoch = 4 }, Cancelled).Completion;
    }

    [Fact]
    public async Task A_producer_that_the_stream_has_forgotten_goes_on_under_a_new_name()
    {
        await using var server = await ScriptedServer.StartAsync();
        var first = new TaskCompletionSource();
        server.AppendFaults.Enqueue(async (_, store) =>
        {
            await store();
            first.SetResult();
        });
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.SequenceGap, expectedSequence: 0));
        using var client = server.NewClient();

        var receipt = await client.Streams.Pipe(Numbers, ForgottenAsync(), ToRun, Cancelled).Completion;

        Assert.Equal(["0", "1", "2"], server.Chunks);
        Assert.Equal((3, 0, 3), (receipt.Chunks, receipt.FirstIndex, receipt.NextIndex));

        async IAsyncEnumerable<int> ForgottenAsync()
        {
            yield return 0;
            await first.Task;
            yield return 1;
            yield return 2;
        }
    }

    [Fact]
    public async Task A_producer_that_was_forgotten_while_a_chunk_is_in_doubt_fails()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.AppendFaults.Enqueue(StoreAndLoseAnswer);
        server.AppendFaults.Enqueue((context, _) => ScriptedServer.RefuseAsync(context, ErrorCode.SequenceGap, expectedSequence: 0));
        using var client = server.NewClient();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => client.Streams.Pipe(Numbers, CountAsync(1), ToRun, Cancelled).Completion);

        Assert.Equal("sequence_gap", failure.Code);
        Assert.Equal(["0"], server.Chunks);
    }

    [Fact]
    public async Task A_pipe_can_close_its_stream_when_it_is_done()
    {
        await using var server = await ScriptedServer.StartAsync();
        var bodies = new List<string>();
        server.Others = (context, body) =>
        {
            bodies.Add(body);
            return context.Response.WriteAsync("""{"nextIndex":2,"outcome":"completed","alreadyClosed":false}""", Cancelled);
        };
        using var client = server.NewClient();
        var closing = ToRun with { CloseWhenDone = true };

        await client.Streams.Pipe(Numbers, CountAsync(2), closing, Cancelled).Completion;
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.Streams.Pipe(Numbers, FailingAsync(), closing, Cancelled).Completion);

        Assert.Equal(["""{"outcome":"completed"}""", """{"outcome":"failed"}"""], bodies);
    }

    [Fact]
    public async Task A_final_chunk_is_numbered_so_that_a_retry_is_recognised()
    {
        await using var server = await ScriptedServer.StartAsync();
        var seen = new List<string>();
        server.Others = (context, body) =>
        {
            seen.Add($"{body} {context.Request.Headers[NativeHeaders.ProducerId]} {context.Request.Headers[NativeHeaders.ProducerSequence]}");
            if (seen.Count == 1) context.Abort();
            return context.Response.WriteAsync("""{"nextIndex":2,"outcome":"completed","alreadyClosed":false}""", Cancelled);
        };
        using var client = server.NewClient();

        await client.Streams.CloseAsync(Numbers, new CloseOptions<int> { Target = "run_1", FinalChunk = 7 }, Cancelled);

        Assert.Equal(2, seen.Count);
        Assert.Equal(seen[0], seen[1]);
        Assert.StartsWith("""{"outcome":"completed","finalChunk":7} """, seen[0], StringComparison.Ordinal);
        Assert.EndsWith(" 0", seen[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Odd_characters_in_ids_stay_one_segment()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient();

        await client.Streams.AppendAsync("a/b %2F*é.", 1, new AppendOptions { Target = "run/1..2?#" }, Cancelled);

        Assert.Equal("POST /api/v1/runs/run%2F1..2%3F%23/streams/a%2Fb%20%252F%2A%C3%A9.", server.Requests.Single());
    }

    [Fact]
    public async Task A_path_in_the_servers_address_is_kept()
    {
        await using var server = await ScriptedServer.StartAsync();
        using var client = server.NewClient(options => options.BaseAddress = new Uri(options.BaseAddress!, "proxy/streams"));

        await client.Streams.AppendAsync("k", 1, new AppendOptions { Target = "r" }, Cancelled);

        Assert.StartsWith("POST /proxy/streams/api/v1/runs/", server.Requests.Single(), StringComparison.Ordinal);
    }

    private static async Task StoreAndLoseAnswer(HttpContext context, Func<Task> store)
    {
        var real = context.Response.Body;
        context.Response.Body = Stream.Null;
        await store();
        context.Response.Body = real;
        context.Abort();
    }

    private static Task BareAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async IAsyncEnumerable<int> CountAsync(int count, Task? start = null)
    {
        if (start is not null) await start;
        for (var i = 0; i < count; i++)
        {
            if (i % 100 == 0) await Task.Yield();
            yield return i;
        }
    }

    private static async IAsyncEnumerable<int> FailingAsync()
    {
        yield return 0;
        await Task.Yield();
        yield return 1;
        throw new InvalidOperationException("The model is gone.");
    }

    private static async IAsyncEnumerable<int> EndlessAsync(
        TaskCompletionSource stopped, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
                yield return i;
            }
        }
        finally
        {
            stopped.SetResult();
        }
    }
}
