using RealtimeStreams.EndToEnd.Tests;

namespace RealtimeStreams.Clients.Tests.S2;

/// <summary>A Trigger.dev server that keeps its streams here by S2's protocol: its calls are replayed by a stand-in, the SDK behind it is the published one.</summary>
public sealed class HostedServerTests(SharedServer shared, NodePackages node) : S2ScenarioTests(shared, node, "s2/hostedServer.mjs")
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Its_streams_are_written_and_read_with_issued_tokens_or_without(bool issueTokens)
    {
        var result = await RunAsync("streams", new { basin = Basin, issueTokens });

        List<string> expected = [.. Enumerable.Range(0, 20).Select(i => $"{{\"i\":{i}}}"), "\"by append\""];
        Assert.Equal("19", result.GetProperty("completed").GetProperty("lastEventId").GetString());
        Assert.Equal(expected, Texts(result.GetProperty("read")));
        Assert.Equal(expected[18..], Texts(result.GetProperty("behind")));
        Assert.Equal(expected, Texts(result.GetProperty("early")));
    }
}
