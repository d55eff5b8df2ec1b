using RealtimeStreams.EndToEnd.Tests;

namespace RealtimeStreams.Clients.Tests;

/// <summary>The tours of the samples print what the documentation says.</summary>
public sealed class SampleTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "samples.mjs")
{
    [Fact]
    public async Task The_tour_of_triggers_sdk_works()
    {
        var lines = await LinesAsync("trigger");

        Assert.StartsWith("run ", lines[0], StringComparison.Ordinal);
        Assert.Equal(
            ["claimed, attempt 1: What colour is the sky?", """read: {"word":"The"}""", """read: {"word":"sky"}""", """read: {"word":"is"}""", """read: {"word":"blue"}""", "the stream has ended", """status COMPLETED, output {"colour":"blue"}"""],
            lines[1..]);
    }

    [Fact]
    public async Task The_tour_of_the_s2_client_works()
    {
        var lines = await LinesAsync("s2");

        Assert.StartsWith("basin ", lines[0], StringComparison.Ordinal);
        Assert.Equal(["next number 2", "stored as 2", "refused: the next number is 3", "0: one", "1: two", "2: three"], lines[1..]);
    }

    private async Task<List<string>> LinesAsync(string folder) =>
        [.. (await RunAsync("tour", new { folder })).EnumerateArray().Select(line => line.GetString()!)];
}
