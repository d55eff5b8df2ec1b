using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The features S4 to S12 of the C# client, each against a real server and broker.</summary>
public sealed class SdkTests(SharedServer shared) : IDisposable
{
    private static readonly RealtimeStream<string> Answer = RealtimeStream.Define<string>("answer");
    private static readonly RealtimeStream<Step> Steps = RealtimeStream.Define("steps", StepJson.Default.Step);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private RealtimeStreamsClient Client { get; } = Traffic.ClientOf(shared.Process);

    public void Dispose() => Client.Dispose();

    [Fact]
    public async Task S4_a_definition_keeps_key_and_type_together()
    {
        var run = await RunAsync(async _ =>
        {
            await Steps.AppendAsync(new Step("begin", 0), cancellationToken: Cancelled);
            await Steps.AppendAsync(new Step("end", 100), cancellationToken: Cancelled);
        });

        Assert.Equal([new("begin", 0), new("end", 100)], await Client.Streams.ReadAsync(Steps, run.RunId, cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal(
            ["""{"name":"begin","percent":0}""", """{"name":"end","percent":100}"""],
            await Client.Streams.ReadAsync<System.Text.Json.JsonElement>(run.RunId, "steps", cancellationToken: Cancelled).Select(step => step.GetRawText()).ToListAsync(Cancelled));
    }

    [Fact]
    public async Task S5_a_pipe_gives_the_chunks_here_and_to_every_reader()
    {
        List<string> here = [];
        var run = await RunAsync(async _ =>
        {
            var pipe = Answer.Pipe(WordsAsync("The", "sky", "is", "blue"), cancellationToken: Cancelled);
            here = await pipe.Stream.ToListAsync(Cancelled);
            var receipt = await pipe.WaitUntilCompleteAsync(Cancelled);
            Assert.Equal((4, 0, 4), (receipt.Chunks, receipt.FirstIndex, receipt.NextIndex));
        });

        Assert.Equal(["The", "sky", "is", "blue"], here);
        Assert.Equal(here, await ReadAsync(run.RunId));
    }

    [Fact]
    public async Task S6_an_append_is_acknowledged_with_its_index()
    {
        var run = await RunAsync(async _ =>
        {
            for (var i = 0; i < 3; i++)
            {
                var receipt = await Answer.AppendAsync("x", cancellationToken: Cancelled);
                Assert.Equal((i, i + 1, 1, 0), (receipt.FirstIndex, receipt.NextIndex, receipt.Stored, receipt.Duplicates));
            }
        });

        Assert.Equal(new StreamTail(0, 3, true, Outcome.Completed), await Client.Streams.GetTailAsync(run.RunId, "answer", Cancelled));
    }

    [Fact]
    public async Task S6_the_same_append_by_its_key_is_stored_once()
    {
        var run = await RunAsync(async _ =>
        {
            var once = new AppendOptions { IdempotencyKey = "payment-7" };
            await Answer.AppendAsync("a", cancellationToken: Cancelled);
            var first = await Answer.AppendAsync("b", once, Cancelled);
            var again = await Answer.AppendAsync("b", once, Cancelled);
            Assert.Equal((first.FirstIndex, 0, 1), (again.FirstIndex, again.Stored, again.Duplicates));
        });

        Assert.Equal(["a", "b"], await ReadAsync(run.RunId));
    }

    [Fact]
    public async Task S7_a_writer_writes_and_merges_and_ends_when_all_have()
    {
        var run = await RunAsync(_ =>
        {
            Answer.Writer(
                async writer =>
                {
                    await writer.WriteAsync("begin", Cancelled);
                    for (var source = 0; source < 4; source++) writer.Merge(NumberedAsync(source, 250));
                    writer.Write("written");
                },
                cancellationToken: Cancelled);
            return Task.CompletedTask; // The run waits for the writer.
        });

        var chunks = await ReadAsync(run.RunId);
        Assert.Equal(1002, chunks.Count);
        Assert.Equal("begin", chunks[0]);
        for (var source = 0; source < 4; source++)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{source}:");
            Assert.Equal(await NumberedAsync(source, 250).ToListAsync(Cancelled), chunks.Where(chunk => chunk.StartsWith(prefix, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task S8_a_read_begins_anywhere_and_stops_by_the_end_or_the_timeout()
    {
        var run = await Client.Runs.RegisterAsync(new RegisterRun(TaskId: "read"), Cancelled);
        await Client.Streams.Pipe(Answer, NumberedAsync(0, 20), new PipeOptions { Target = run.Id }, Cancelled).Completion;

        var open = Client.Streams.ReadAsync(Answer, run.Id, new ReadOptions { StartIndex = 15, Timeout = TimeSpan.FromSeconds(1) }, Cancelled);
        Assert.Equal([15, 16, 17, 18, 19], await open.Items.Select(item => item.Index).ToListAsync(Cancelled));
        Assert.Equal((ReadEnding.TimedOut, null, 20L), (open.Ending, open.Outcome, open.NextIndex));

        await Client.Streams.AppendAsync(Answer, "last", new AppendOptions { Target = run.Id }, Cancelled);
        await Client.Runs.CompleteAsync(run.Id, Outcome.Failed, "no reason", Cancelled);
        Assert.Equal(["last"], await open.ToListAsync(Cancelled)); // The same read goes on.
        Assert.Equal((ReadEnding.Closed, Outcome.Failed, 21L), (open.Ending, open.Outcome, open.NextIndex));

        var fromTheEnd = Client.Streams.ReadAsync(Answer, run.Id, new ReadOptions { StartIndex = -2 }, Cancelled);
        Assert.Equal([new(19, "0:19"), new(20, "last")], await fromTheEnd.Items.ToListAsync(Cancelled));
        Assert.Equal("no reason", (await Client.Runs.GetAsync(run.Id, Cancelled)).Error);
    }

    [Fact]
    public async Task S8_a_reader_that_is_there_gets_each_chunk_as_it_comes()
    {
        var run = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        var target = new AppendOptions { Target = run.Id };
        await using var reading = Client.Streams.ReadAsync(Answer, run.Id, cancellationToken: Cancelled).GetAsyncEnumerator(Cancelled);
        for (var i = 0; i < 5; i++)
        {
            var next = reading.MoveNextAsync().AsTask();
            await Client.Streams.AppendAsync(Answer, $"live {i}", target, Cancelled);
            Assert.True(await next);
            Assert.Equal($"live {i}", reading.Current);
        }
    }

    [Fact]
    public async Task S9_the_direct_methods_take_a_key()
    {
        var run = await RunAsync(async run =>
        {
            await run.Streams.AppendAsync("logs", "started", cancellationToken: Cancelled);
            await run.Streams.Pipe("logs", WordsAsync("a", "b"), cancellationToken: Cancelled).Completion;
            await run.Streams.Writer<string>("logs", async writer => await writer.WriteAsync("c", Cancelled), cancellationToken: Cancelled).Completion;
            await run.Streams.CloseAsync("logs", Outcome.Cancelled, cancellationToken: Cancelled);
        });

        var read = Client.Streams.ReadAsync<string>(run.RunId, "logs", cancellationToken: Cancelled);
        Assert.Equal(["started", "a", "b", "c"], await read.ToListAsync(Cancelled));
        Assert.Equal(Outcome.Cancelled, read.Outcome);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("a/b")]
    [InlineData("%2F")]
    [InlineData("dots.and*stars>")]
    [InlineData("ключ-キー-😀")]
    public async Task S9_a_key_may_have_odd_characters(string key)
    {
        var run = await RunAsync(run => run.Streams.AppendAsync(key, 1, cancellationToken: Cancelled));

        Assert.Equal([1], await Client.Streams.ReadAsync<int>(run.RunId, key, cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal(key, Assert.Single(await Client.Streams.ListAsync(run.RunId, Cancelled)).Key);
    }

    [Fact]
    public async Task S10_every_run_has_a_default_stream()
    {
        var run = await RunAsync(async run =>
        {
            await run.Streams.Pipe(WordsAsync("a", "b"), cancellationToken: Cancelled).Completion;
            await run.Streams.AppendAsync("c", cancellationToken: Cancelled);
        });

        Assert.Equal(["a", "b", "c"], await Client.Streams.ReadAsync<string>(run.RunId, cancellationToken: Cancelled).ToListAsync(Cancelled));
        Assert.Equal("default", Assert.Single(await Client.Streams.ListAsync(run.RunId, Cancelled)).Key);
    }

    [Fact]
    public async Task S11_a_write_goes_to_self_parent_root_or_any_run()
    {
        var other = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        var ids = new List<string>();
        var root = await RunAsync(async _ =>
            ids.Add((await RunAsync(async _ =>
                ids.Add((await RunAsync(async _ =>
                {
                    foreach (var target in new StreamTarget[] { "self", StreamTarget.Parent, StreamTarget.Root, other.Id })
                    {
                        await Answer.Pipe(WordsAsync($"piped to {target}"), new PipeOptions { Target = target }, Cancelled).Completion;
                        await RunContext.Current!.Streams.AppendAsync("answer", $"appended to {target}", new AppendOptions { Target = target }, Cancelled);
                    }
                })).RunId))).RunId));
        await Client.Runs.CompleteAsync(other.Id, cancellationToken: Cancelled);

        Assert.Equal(["piped to self", "appended to self"], await ReadAsync(ids[0]));
        Assert.Equal(["piped to parent", "appended to parent"], await ReadAsync(ids[1]));
        Assert.Equal(["piped to root", "appended to root"], await ReadAsync(root.RunId));
        Assert.Equal([$"piped to {other.Id}", $"appended to {other.Id}"], await ReadAsync(other.Id));
        Assert.Equal((ids[1], root.RunId), ((await Client.Runs.GetAsync(ids[0], Cancelled)).ParentRunId, (await Client.Runs.GetAsync(ids[0], Cancelled)).RootRunId));
    }

    [Fact]
    public async Task S12_a_program_outside_of_runs_writes_to_a_run_by_its_id()
    {
        var run = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        var target = new PipeOptions { Target = run.Id };

        await Client.Streams.Pipe(Answer, WordsAsync("a"), target, Cancelled).Completion;
        await Client.Streams.Writer(Answer, writer => writer.WriteAsync("b", Cancelled).AsTask(), target, Cancelled).Completion;
        await Client.Streams.AppendAsync(Answer, "c", new AppendOptions { Target = run.Id }, Cancelled);
        var closed = await Client.Streams.CloseAsync(Answer, new CloseOptions<string> { Target = run.Id, FinalChunk = "d" }, Cancelled);

        Assert.Equal((4, Outcome.Completed, false), (closed.NextIndex, closed.Outcome, closed.AlreadyClosed));
        Assert.Equal(["a", "b", "c", "d"], await ReadAsync(run.Id));
        Assert.Throws<InvalidOperationException>(() => Client.Streams.Pipe(Answer, WordsAsync("a"), cancellationToken: Cancelled));
    }

    [Fact]
    public async Task Chat_updates_and_texts_pipe_as_they_are()
    {
        var chat = RealtimeStream.Define<ChatResponseUpdate>("chat");
        var text = "héllo 😀 " + new string('x', 10_000);
        var run = await RunAsync(async run =>
        {
            await chat.Pipe(UpdatesAsync(), cancellationToken: Cancelled).Completion;
            using var bytes = new MemoryStream(Encoding.UTF8.GetBytes(text));
            await run.Streams.Pipe(Answer, bytes, cancellationToken: Cancelled).Completion;
            using var reader = new StringReader(text);
            await run.Streams.Pipe(Answer, reader, cancellationToken: Cancelled).Completion;
        });

        var response = await Client.Streams.ReadAsync(chat, run.RunId, cancellationToken: Cancelled).ToChatResponseAsync(Cancelled);
        Assert.Equal("The sky is blue.", response.Text);
        Assert.Equal(7, response.Usage?.OutputTokenCount);
        Assert.Equal(text + text, string.Concat(await ReadAsync(run.RunId)));

        static async IAsyncEnumerable<ChatResponseUpdate> UpdatesAsync()
        {
            foreach (var word in new[] { "The ", "sky ", "is ", "blue." })
            {
                await Task.Yield();
                yield return new ChatResponseUpdate(ChatRole.Assistant, word) { MessageId = "m1" };
            }
            yield return new ChatResponseUpdate { MessageId = "m1", Contents = [new UsageContent(new UsageDetails { OutputTokenCount = 7 })] };
        }
    }

    [Fact]
    public async Task A_run_ends_as_its_delegate_does()
    {
        using var cancel = new CancellationTokenSource();
        await Client.Runs.RunAsync(new RegisterRun("ends-well"), (_, _) => Task.CompletedTask, cancellationToken: Cancelled);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Client.Runs.RunAsync(
            new RegisterRun("ends-badly"),
            async (run, _) =>
            {
                await run.Streams.AppendAsync("as far as it came", cancellationToken: Cancelled);
                throw new InvalidOperationException("the disk is full");
            },
            cancellationToken: Cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client.Runs.RunAsync(
            new RegisterRun("is-stopped"),
            async (_, cancellationToken) =>
            {
                await cancel.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            },
            cancellationToken: cancel.Token));

        Assert.Equal(RunStatus.Completed, (await Client.Runs.GetAsync("ends-well", Cancelled)).Status);
        Assert.Equal((RunStatus.Failed, "the disk is full"), ((await Client.Runs.GetAsync("ends-badly", Cancelled)).Status, (await Client.Runs.GetAsync("ends-badly", Cancelled)).Error));
        Assert.Equal(RunStatus.Cancelled, (await Client.Runs.GetAsync("is-stopped", Cancelled)).Status);
        var read = Client.Streams.ReadAsync<string>("ends-badly", cancellationToken: Cancelled);
        Assert.Equal(["as far as it came"], await read.ToListAsync(Cancelled));
        Assert.Equal(Outcome.Failed, read.Outcome);
    }

    [Fact]
    public async Task A_hundred_pipes_write_into_one_stream_though_it_remembers_fewer_producers()
    {
        const int Chunks = 10;
        using var counting = new ConflictCounter();
        using var http = new HttpClient(counting) { Timeout = Timeout.InfiniteTimeSpan };
        using var client = new RealtimeStreamsClient(
            new RealtimeStreamsClientOptions { BaseAddress = shared.Process.Address, SecretKey = shared.Process.SecretKey }, http);
        var run = await client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        var names = Enumerable.Range(0, 100).Select(number => string.Create(CultureInfo.InvariantCulture, $"p{number}")).ToList();
        var rounds = Enumerable.Range(0, Chunks).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
        var arrived = 0;

        await Task.WhenAll(names.Select(name => client.Streams.Pipe(
            Traffic.Stream, Traffic.NumberAsync(name, Chunks, gate: RoundAsync, cancellationToken: Cancelled), new PipeOptions { Target = run.Id }, Cancelled).Completion));
        await client.Runs.CompleteAsync(run.Id, cancellationToken: Cancelled);

        Traffic.AssertComplete(await Traffic.ReadToEndAsync(client, run.Id, cancellationToken: Cancelled), names, Chunks);
        Assert.True(counting.Conflicts > 0, "No producer was ever forgotten.");

        // Every pipe gives a chunk before any gives its next.
        Task RoundAsync(int number)
        {
            var arrivals = Interlocked.Increment(ref arrived);
            if (arrivals % names.Count == 0) rounds[number].SetResult();
            return rounds[number].Task;
        }
    }

    [Fact]
    public async Task A_newer_attempt_fences_the_older_one()
    {
        var run = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        var named = new PipeOptions { Target = run.Id, ProducerId = "task" };
        var go = new TaskCompletionSource();

        var older = Client.Streams.Pipe(Answer, OlderAsync(), named with { Epoch = 1 }, Cancelled);
        await Client.Streams.ReadAsync(Answer, run.Id, cancellationToken: Cancelled).FirstAsync(Cancelled);
        await Client.Streams.Pipe(Answer, WordsAsync("newer"), named with { Epoch = 2 }, Cancelled).Completion;
        go.SetResult();

        var failure = await Assert.ThrowsAsync<RealtimeStreamsException>(() => older.Completion);
        Assert.Equal(ErrorCode.Fenced.Code, failure.Code);
        await Client.Runs.CompleteAsync(run.Id, cancellationToken: Cancelled);
        Assert.Equal(["older", "newer"], await ReadAsync(run.Id));

        async IAsyncEnumerable<string> OlderAsync()
        {
            yield return "older";
            await go.Task;
            yield return "too late";
        }
    }

    [Fact]
    public async Task A_refusal_has_the_servers_code()
    {
        var run = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);
        var target = new AppendOptions { Target = run.Id };
        await Client.Streams.CloseAsync("closed", target: run.Id, cancellationToken: Cancelled);

        Assert.Equal("stream_closed", await CodeOfAsync(() => Client.Streams.AppendAsync("closed", 1, target, Cancelled)));
        Assert.Equal("stream_closed", await CodeOfAsync(() => Client.Streams.Pipe("closed", WordsAsync("a"), new PipeOptions { Target = run.Id }, Cancelled).Completion));
        Assert.Equal("chunk_too_large", await CodeOfAsync(() => Client.Streams.AppendAsync("k", new string('x', 2_000_000), target, Cancelled)));
        Assert.Equal("chunk_too_large", await CodeOfAsync(() => Client.Streams.Pipe("k", WordsAsync("a", new string('x', 2_000_000)), new PipeOptions { Target = run.Id }, Cancelled).Completion));
        Assert.Equal("run_not_found", await CodeOfAsync(() => Client.Streams.AppendAsync("k", 1, new AppendOptions { Target = "nobody" }, Cancelled)));
        Assert.Equal("run_not_found", await CodeOfAsync(() => Client.Streams.ReadAsync<int>("nobody", cancellationToken: Cancelled).ToListAsync(Cancelled).AsTask()));
        Assert.Equal("not_found", await CodeOfAsync(() => Client.Streams.GetTailAsync("nobody", cancellationToken: Cancelled)));
        await Client.Runs.CompleteAsync(run.Id, cancellationToken: Cancelled);
        Assert.Equal("run_completed", await CodeOfAsync(() => Client.Streams.AppendAsync("k", 1, target, Cancelled)));
        Assert.Equal(["\"a\""], await Client.Streams.ReadAsync<System.Text.Json.JsonElement>(run.Id, "k", cancellationToken: Cancelled).Select(chunk => chunk.GetRawText()).ToListAsync(Cancelled));

        using var stranger = new RealtimeStreamsClient(new RealtimeStreamsClientOptions { BaseAddress = shared.Process.Address, SecretKey = "wrong" });
        Assert.Equal("unauthorized", await CodeOfAsync(() => stranger.Runs.GetAsync(run.Id, Cancelled)));
        Assert.Equal("unauthorized", await CodeOfAsync(() => stranger.Streams.ReadAsync<int>(run.Id, cancellationToken: Cancelled).ToListAsync(Cancelled).AsTask()));
    }

    [Fact]
    public async Task An_erased_run_is_gone()
    {
        var run = await RunAsync(_ => Answer.AppendAsync("x", cancellationToken: Cancelled));

        await Client.Runs.EraseAsync(run.RunId, Cancelled);

        Assert.Equal("run_not_found", await CodeOfAsync(() => Client.Runs.GetAsync(run.RunId, Cancelled)));
        Assert.DoesNotContain((await Client.Runs.ListAsync(new RunQuery { Limit = 200 }, Cancelled)).Runs, other => other.Id == run.RunId);
    }

    [Fact]
    public async Task Runs_are_listed_by_status_tag_and_task_in_pages()
    {
        for (var i = 0; i < 5; i++) await Client.Runs.RegisterAsync(new RegisterRun(TaskId: "listed", Tags: ["a b", "n&o"]), Cancelled);

        var seen = new List<string>();
        var query = new RunQuery { TaskId = "listed", Tag = "n&o", Status = RunStatus.Open, Limit = 2 };
        for (string? cursor = null; ;)
        {
            var page = await Client.Runs.ListAsync(query with { Cursor = cursor }, Cancelled);
            seen.AddRange(page.Runs.Select(run => run.Id));
            if ((cursor = page.NextCursor) is null) break;
        }

        Assert.Equal(5, seen.Distinct().Count());
        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public async Task Pipes_and_reads_through_connections_that_are_cut_lose_and_double_nothing()
    {
        const int Chunks = 3000;
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using var proxy = new TcpProxy(shared.Process.Port);
        proxy.CutRandomly(seed, minimumBytes: 500, maximumBytes: 20_000);
        using var client = Traffic.ClientOf(shared.Process, proxy.Port);
        var run = await Client.Runs.RegisterAsync(new RegisterRun(), Cancelled);

        var live = Traffic.ReadToEndAsync(client, run.Id, cancellationToken: Cancelled);
        var pipes = Enumerable.Range(0, 3).Select(number => client.Streams.Pipe(
            Traffic.Stream, Traffic.NumberAsync($"p{number}", Chunks, cancellationToken: Cancelled), new PipeOptions { Target = run.Id }, Cancelled)).ToList();
        foreach (var pipe in pipes) Assert.Equal(Chunks, (await pipe.Completion).Chunks);
        await Client.Runs.CompleteAsync(run.Id, cancellationToken: Cancelled);

        var log = await Traffic.ReadToEndAsync(Client, run.Id, cancellationToken: Cancelled);
        Traffic.AssertComplete(log, ["p0", "p1", "p2"], Chunks);
        Assert.Equal(log, await live);
        Assert.True(proxy.Cuts > 10, $"The proxy cut only {proxy.Cuts} connections.");
    }

    [Fact]
    public async Task A_run_survives_the_death_of_its_server()
    {
        await using var server = await ServerProcess.StartAsync(cancellationToken: Cancelled);
        using var client = Traffic.ClientOf(server);
        var read = Task.FromResult<List<string>>([]);
        var half = new TaskCompletionSource();
        var back = new TaskCompletionSource();

        var running = client.Runs.RunAsync(
            new RegisterRun(),
            (run, _) =>
            {
                Traffic.Stream.Pipe(
                    Traffic.NumberAsync("p", 1000, gate: number => number == 700 ? back.Task : Task.CompletedTask, cancellationToken: Cancelled),
                    cancellationToken: Cancelled);
                read = Traffic.ReadToEndAsync(
                    client, run.RunId, seen: index => (index == 600 ? half : null)?.SetResult(), cancellationToken: Cancelled);
                return half.Task;
            },
            cancellationToken: Cancelled);
        await half.Task.WaitAsync(Cancelled);
        server.Kill();
        back.SetResult(); // The rest is written while there is no server.
        await server.StartAgainAsync(Cancelled);
        await running;

        Traffic.AssertComplete(await read, ["p"], 1000);
    }

    private static async Task<string> CodeOfAsync(Func<Task> refused) => (await Assert.ThrowsAsync<RealtimeStreamsException>(refused)).Code;

    private async Task<RunContext> RunAsync(Func<RunContext, Task> body) => await Client.Runs.RunAsync(
        new RegisterRun(),
        async (run, _) =>
        {
            await body(run);
            return run;
        },
        cancellationToken: Cancelled);

    private async Task<List<string>> ReadAsync(string runId) => await Client.Streams.ReadAsync(Answer, runId, cancellationToken: Cancelled).ToListAsync(Cancelled);

    private static async IAsyncEnumerable<string> WordsAsync(params string[] words)
    {
        foreach (var word in words)
        {
            await Task.Yield();
            yield return word;
        }
    }

    private static async IAsyncEnumerable<string> NumberedAsync(int source, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return string.Create(CultureInfo.InvariantCulture, $"{source}:{i}");
        }
    }
}

/// <summary>Counts the refusals that a producer can meet.</summary>
internal sealed class ConflictCounter() : DelegatingHandler(new SocketsHttpHandler())
{
    private int conflicts;

    public int Conflicts => Volatile.Read(ref conflicts);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode == System.Net.HttpStatusCode.Conflict) Interlocked.Increment(ref conflicts);
        return response;
    }
}

public sealed record Step(string Name, int Percent);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Step))]
internal sealed partial class StepJson : JsonSerializerContext;
