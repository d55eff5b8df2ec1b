using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>streams.* of Trigger.dev's SDK, in runs of both streams versions.</summary>
public sealed class StreamsTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/streams.mjs")
{
    /// <summary>An answer that is not tried again, in milliseconds: one that is costs the client four more attempts and nine seconds.</summary>
    private const double AtOnce = 8_000;

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Append_keeps_text_as_it_is(StreamsVersion version)
    {
        var run = await RegisterAsync(version);
        string[] texts = ["first", "", "äöü 🚀", "two\nlines", """{"a":1}""", "[1]", "17"];

        var read = await RunAsync("append", new { run, texts });

        Assert.Equal(texts, read.EnumerateArray().Select(chunk => chunk.GetString()));
        Assert.Equal(texts, (await StoredAsync(run, "log")).Select(chunk => JsonSerializer.Deserialize<string>(chunk)));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Pipe_carries_every_kind_of_chunk_to_readers_here_and_there(StreamsVersion version)
    {
        var run = await RegisterAsync(version);

        var result = await RunAsync("pipe", new { run });

        var sent = Texts(result.GetProperty("sent"));
        Assert.Equal(sent, Texts(result.GetProperty("here")));
        Assert.Equal(sent, Texts(result.GetProperty("read")));
        var stored = await StoredAsync(run, "log");
        Assert.Equal(sent.Count, stored.Count);
        Assert.All(sent.Zip(stored), pair => Assert.True(JsonElement.DeepEquals(Parse(pair.First), Parse(pair.Second)), $"{pair.First} became {pair.Second}"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task A_writer_merges_sources_each_in_its_own_order(StreamsVersion version)
    {
        var run = await RegisterAsync(version);

        var read = Texts(await RunAsync("writer", new { run }));

        Assert.Equal(102, read.Count);
        Assert.Equal(read, await StoredAsync(run, "log"));
        foreach (var name in new[] { "a", "b" })
            Assert.Equal(Enumerable.Range(0, 50).Select(i => $$"""{"name":"{{name}}","i":{{i}}}"""), read.Where(chunk => chunk.Contains($"\"{name}\"", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task A_defined_stream_appends_pipes_writes_and_reads(StreamsVersion version)
    {
        var run = await RegisterAsync(version);

        var read = Texts(await RunAsync("define", new { run }));

        Assert.Equal(["""{"step":0}""", """{"step":1}""", """{"step":2}""", """{"step":3}"""], read);
        Assert.Equal(read, await StoredAsync(run, "steps"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Without_a_key_it_is_the_default_stream(StreamsVersion version)
    {
        var run = await RegisterAsync(version);

        Assert.Equal(["\"one\"", "\"two\"", "\"three\""], Texts(await RunAsync("byDefault", new { run })));
        Assert.Equal(["\"one\"", "\"two\"", "\"three\""], await StoredAsync(run, "default"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Targets_are_the_own_run_its_parent_its_root_and_any_other(StreamsVersion version)
    {
        var root = await RegisterAsync(version);
        var parent = await RegisterAsync(version, root);
        var self = await RegisterAsync(version, parent);
        var other = await RegisterAsync(version);

        await RunAsync("targets", new { self, parent, root, other });

        Assert.Equal(["\"pipe none\"", "\"append none\"", "\"pipe self\"", "\"append self\""], await StoredAsync(self, "log"));
        Assert.Equal(["\"pipe parent\"", "\"append parent\""], await StoredAsync(parent, "log"));
        Assert.Equal(["\"pipe root\"", "\"append root\""], await StoredAsync(root, "log"));
        Assert.Equal([$"\"pipe {other}\"", $"\"append {other}\""], await StoredAsync(other, "log"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(-3)]
    public async Task Read_begins_at_the_start_index_and_ends_by_the_timeout(int startIndex)
    {
        var run = await RegisterAsync();
        await Api.AppendAsync(run, "log", string.Concat(Enumerable.Range(0, 10).Select(i => $"{i}\n")), Api.Lines);

        var result = await RunAsync("read", new { run, options = new { startIndex, timeoutInSeconds = 1 } });

        var first = startIndex < 0 ? 10 + startIndex : startIndex;
        Assert.Equal(Enumerable.Range(first, 10 - first), result.GetProperty("chunks").EnumerateArray().Select(chunk => chunk.GetInt32()));
        Assert.InRange(result.GetProperty("milliseconds").GetDouble(), 900, 30_000);
    }

    [Fact]
    public async Task A_reader_may_come_first_and_hears_each_chunk_as_it_comes_and_the_end()
    {
        var run = await RegisterAsync();
        await using var reader = Start("follow", new { run, options = new { timeoutInSeconds = 60 } });
        await reader.SaidAsync("open");

        for (var i = 0; i < 3; i++)
        {
            await Api.AppendAsync(run, "log", $"{{\"i\":{i}}}");
            Assert.Equal($"{{\"i\":{i}}}", (await reader.SaidAsync("read")).GetRawText());
            using (var asked = await Api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/stop", "{}")) Assert.True(asked.IsSuccessStatusCode); // Told in a comment, which clients skip.
        }
        await Api.CompleteAsync(run);

        // The run's end closed the stream: the reader leaves now and not after its 60 seconds.
        var result = await reader.ResultAsync();
        Assert.Equal(3, result.GetProperty("chunks").GetArrayLength());
        Assert.InRange(result.GetProperty("milliseconds").GetDouble(), 0, 20_000);
    }

    [Fact]
    public async Task A_reader_from_the_latest_hears_only_what_comes()
    {
        var run = await RegisterAsync();
        await Api.AppendAsync(run, "log", "1");
        await using var reader = Start("follow", new { run, options = new { timeoutInSeconds = 60, from = "latest" } });
        await reader.SaidAsync("open");

        // It says that it is open before it is connected: so often until one comes behind its beginning.
        var heard = reader.SaidAsync("read");
        for (var i = 2; !heard.IsCompleted; i++)
        {
            await Api.AppendAsync(run, "log", $"{i}");
            await Task.WhenAny(heard, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancelled));
        }
        await Api.CompleteAsync(run);

        var read = Texts((await reader.ResultAsync()).GetProperty("chunks"));
        var stored = await StoredAsync(run, "log");
        Assert.Equal(stored[^read.Count..], read);
        Assert.NotEqual(stored.Count, read.Count);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("complete")]
    public async Task Reading_a_stream_that_has_ended_ends_at_once(string how)
    {
        var run = await RegisterAsync();
        await Api.AppendAsync(run, "log", """{"last":true}""");
        if (how == "complete") await Api.CompleteAsync(run);
        else await Api.ReadAsync(await Api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "log") + "/close"), NativeJson.Default.CloseReceipt);

        var result = await RunAsync("read", new { run, options = new { timeoutInSeconds = 60 } });

        Assert.Equal(["""{"last":true}"""], Texts(result.GetProperty("chunks")));
        Assert.InRange(result.GetProperty("milliseconds").GetDouble(), 0, 30_000);
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task What_was_written_by_metadata_stream_and_what_replaces_it_is_one_stream(StreamsVersion version)
    {
        var run = await RegisterAsync(version);

        var result = await RunAsync("migrate", new { run });

        Assert.Equal(["""{"value":"before"}"""], Texts(result.GetProperty("here")));
        Assert.Equal(["""{"value":"before"}""", """{"value":"after"}"""], Texts(result.GetProperty("read")));
        Assert.Equal(["""{"value":"before"}""", """{"value":"after"}"""], await StoredAsync(run, "log"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task Several_pipes_share_a_stream_and_each_keeps_its_order(StreamsVersion version)
    {
        const int pipes = 4, count = 100;
        var run = await RegisterAsync(version);

        var read = Texts(await RunAsync("together", new { run, pipes, count }));

        Assert.Equal(pipes * count, read.Count);
        Assert.Equal(read, await StoredAsync(run, "log"));
        for (var p = 0; p < pipes; p++)
            Assert.Equal(Enumerable.Range(0, count).Select(i => $"\"p{p}:{i}\""), read.Where(chunk => chunk.StartsWith($"\"p{p}:", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task A_completed_run_takes_nothing_more_and_says_so_without_retries(StreamsVersion version)
    {
        var run = await RegisterAsync(version);
        await Api.AppendAsync(run, "log", "1");
        await Api.CompleteAsync(run);

        var answers = await RunAsync("refusals", new { run });

        foreach (var name in new[] { "pipe", "append", "send" })
        {
            var answer = answers.GetProperty(name);
            Assert.True(answer.TryGetProperty("error", out var error), $"{name} was not refused: {answer}");
            Assert.Equal(400, answer.GetProperty("status").GetInt32());
            Assert.NotEmpty(error.GetString()!);
            Assert.InRange(answer.GetProperty("milliseconds").GetDouble(), 0, AtOnce);
        }
        Assert.Equal(["1"], await StoredAsync(run, "log"));
    }

    [Fact]
    public async Task An_unknown_run_is_not_found_at_once()
    {
        var answers = await RunAsync("refusals", new { run = Api.NewId() });

        foreach (var name in new[] { "pipe", "append", "send", "read" })
        {
            var answer = answers.GetProperty(name);
            Assert.True(answer.TryGetProperty("error", out _), $"{name} was not refused: {answer}");
            Assert.Equal(404, answer.GetProperty("status").GetInt32());
            Assert.InRange(answer.GetProperty("milliseconds").GetDouble(), 0, AtOnce);
        }
    }

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
