using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>Answers that get lost and connections that break: nothing lost, nothing twice.</summary>
public sealed class FaultTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/faults.mjs")
{
    [Fact]
    public async Task An_append_whose_answer_is_lost_is_sent_again_and_stored_once()
    {
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        proxy.SwallowNextAnswer();

        var outcome = await RunAsync("append", new { run, text = "once" }, proxy.Port);

        Assert.False(outcome.TryGetProperty("error", out _), outcome.GetRawText());
        Assert.Equal(1, proxy.Swallowed);
        Assert.Equal(["\"once\""], await StoredAsync(run, "log"));
    }

    [Fact]
    public async Task An_input_whose_answer_is_lost_is_sent_again_and_stored_once()
    {
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        proxy.SwallowNextAnswer();

        var outcome = await RunAsync("send", new { run, data = new { stop = true } }, proxy.Port);

        Assert.False(outcome.TryGetProperty("error", out _), outcome.GetRawText());
        Assert.Equal(1, proxy.Swallowed);
        Assert.Equal(["""{"stop":true}"""], await StoredAsync(run, "$input:commands"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task A_stream_whose_creation_was_not_answered_is_created_again(StreamsVersion version)
    {
        var run = await RegisterAsync(version);
        await using var proxy = new TcpProxy(Server.Port);
        proxy.SwallowNextAnswer();

        var outcome = await RunAsync("define", new { run, value = new { a = 1 } }, proxy.Port);

        Assert.False(outcome.TryGetProperty("error", out _), outcome.GetRawText());
        Assert.Equal(1, proxy.Swallowed);
        Assert.Equal(["""{"a":1}"""], await StoredAsync(run, "log"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task A_pipe_that_is_cut_goes_on_where_it_was(StreamsVersion version)
    {
        const int count = 300;
        int[] marks = version == StreamsVersion.V1 ? [100] : [100, 200]; // Each cut costs the v1 writer some three seconds of waiting.
        var run = await RegisterAsync(version);
        await using var proxy = new TcpProxy(Server.Port);
        await using var scenario = Start("pipe", new { run, count, marks }, proxy.Port);

        foreach (var mark in marks)
        {
            Assert.Equal(mark, (await scenario.SaidAsync("mark")).GetInt32());
            await ArrivedAsync(run, "log", mark);
            Assert.True(proxy.CutAll() > 0);
            scenario.Tell();
        }

        var result = await scenario.ResultAsync();
        Assert.False(result.GetProperty("outcome").TryGetProperty("error", out _), result.GetRawText());
        Assert.True(proxy.Cuts >= marks.Length);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{{\"i\":{i}}}"), await StoredAsync(run, "log"));
    }

    [Theory]
    [InlineData(StreamsVersion.V1)]
    [InlineData(StreamsVersion.V2)]
    public async Task A_pipe_whose_acknowledgement_is_lost_stores_nothing_twice(StreamsVersion version)
    {
        const int count = 40;
        var run = await RegisterAsync(version);
        await using var proxy = new TcpProxy(Server.Port);
        await using var scenario = Start("pipe", new { run, count, marks = new[] { 20 } }, proxy.Port);
        await scenario.SaidAsync("mark");
        await ArrivedAsync(run, "log", 20);

        // What comes now arrives at the server; what the server says of it does not come back.
        proxy.SwallowNextAnswer();
        scenario.Tell();

        var result = await scenario.ResultAsync();
        Assert.False(result.GetProperty("outcome").TryGetProperty("error", out _), result.GetRawText());
        Assert.Equal(1, proxy.Swallowed);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{{\"i\":{i}}}"), await StoredAsync(run, "log"));
    }

    [Fact]
    public async Task A_read_that_is_cut_goes_on_behind_what_it_had()
    {
        const int count = 300;
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        await using var scenario = Start("read", new { run, count }, proxy.Port);

        var read = -1;
        foreach (var end in new[] { 100, 200, count })
        {
            await Api.AppendAsync(run, "log", string.Concat(Enumerable.Range(end - 100, 100).Select(i => $"{{\"i\":{i}}}\n")), Api.Lines);
            while (read < end - 1) read = (await scenario.SaidAsync("read")).GetInt32();
            if (end < count) Assert.True(proxy.CutAll() > 0);
        }

        Assert.Equal(Enumerable.Range(0, count), (await scenario.ResultAsync()).EnumerateArray().Select(i => i.GetInt32()));
        Assert.True(proxy.Cuts >= 2);
    }

    [Fact]
    public async Task A_read_that_is_cut_at_any_byte_gets_every_chunk_once()
    {
        const int count = 2_000;
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        proxy.CutRandomly(seed: 1, minimumBytes: 3_000, maximumBytes: 60_000);
        for (var i = 0; i < count; i += 500)
            await Api.AppendAsync(run, "log", string.Concat(Enumerable.Range(i, 500).Select(number => $"{{\"i\":{number}}}\n")), Api.Lines);

        var read = await RunAsync("read", new { run, count }, proxy.Port);

        Assert.Equal(Enumerable.Range(0, count), read.EnumerateArray().Select(i => i.GetInt32()));
        Assert.True(proxy.Cuts > 0);
    }
}
