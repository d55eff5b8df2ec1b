using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>The writer of v2 runs, which sends its chunks through an append session of S2.</summary>
public sealed class SessionPipeTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/streams.mjs")
{
    [Fact]
    public async Task A_pipe_is_told_the_index_of_its_last_chunk()
    {
        var run = await RegisterAsync(StreamsVersion.V2);

        var result = await RunAsync("pipe", new { run });

        var count = (await StoredAsync(run, "log")).Count;
        Assert.Equal($"{count - 1}", result.GetProperty("completed").GetProperty("lastEventId").GetString());
    }

    [Fact]
    public async Task A_burst_of_fifteen_thousand_chunks_arrives_whole()
    {
        var run = await RegisterAsync(StreamsVersion.V2);

        var result = await RunAsync("burst", new { run, count = 15_000 });

        Assert.Equal(15_000, result.GetProperty("read").GetInt32());
        Assert.True(result.GetProperty("inOrder").GetBoolean());
        Assert.Equal("14999", result.GetProperty("completed").GetProperty("lastEventId").GetString());
        var last = await Api.PageAsync(run, "log", "?startIndex=-1");
        Assert.Equal([(14_999L, """{"i":14999,"text":"chunk 14999"}""")], last.Chunks);
    }

    [Fact]
    public async Task A_pipe_that_is_cut_again_and_again_loses_and_doubles_nothing()
    {
        const int count = 500;
        int[] marks = [100, 200, 300, 400];
        var run = await RegisterAsync(StreamsVersion.V2);
        await using var proxy = new TcpProxy(Server.Port);
        await using var scenario = Scenario.Start(
            "trigger/faults.mjs", "pipe", JsonSerializer.SerializeToNode(new { run, count, marks })!, Settings(Server, proxy.Port));

        foreach (var mark in marks)
        {
            Assert.Equal(mark, (await scenario.SaidAsync("mark")).GetInt32());
            await ArrivedAsync(run, "log", mark);
            Assert.True(proxy.CutAll() > 0);
            scenario.Tell();
        }

        var result = await scenario.ResultAsync();
        Assert.False(result.GetProperty("outcome").TryGetProperty("error", out _), result.GetRawText());
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{{\"i\":{i}}}"), await StoredAsync(run, "log"));
    }
}
