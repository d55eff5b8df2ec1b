using RealtimeStreams.EndToEnd.Tests;

namespace RealtimeStreams.Clients.Tests;

/// <summary>The harness tells the truth: a scenario that fails, hangs or dies is a test that fails, with what it printed.</summary>
public sealed class ScenarioHarnessTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "harness.mjs")
{
    [Fact]
    public async Task A_scenario_gets_parameters_and_settings_and_gives_a_result()
    {
        var result = await RunAsync("echo", new { number = 1, text = "ä" });

        Assert.Equal((1, "ä"), (result.GetProperty("number").GetInt32(), result.GetProperty("text").GetString()));
        Assert.Equal(Server.Address.GetLeftPart(UriPartial.Authority), result.GetProperty("environment").GetString());
    }

    [Fact]
    public async Task A_test_acts_in_the_middle_of_a_scenario()
    {
        await using var scenario = Start("conversation", new { });

        Assert.Equal(1, (await scenario.SaidAsync("ready")).GetInt32());
        scenario.Tell("go");
        Assert.Equal("go", (await scenario.ResultAsync()).GetProperty("heard").GetString());
    }

    [Fact]
    public async Task A_scenario_that_throws_shows_why_and_what_it_printed()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync("fail", new { }));

        Assert.Contains("what went wrong", failure.Message, StringComparison.Ordinal);
        Assert.Contains("what the package printed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scenario_that_hangs_is_ended()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync("hang", new { }, limit: TimeSpan.FromSeconds(1)));

        Assert.Contains("did not end within 1 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scenarios_reach_the_server()
    {
        var run = await Api.RegisterAsync();

        var result = await RunAsync("append", new { path = Api.StreamPath(run, "log") });

        Assert.Equal(200, result.GetProperty("status").GetInt32());
        Assert.Equal(["""{"from":"node"}"""], await StoredAsync(run, "log"));
    }

    [Fact]
    public async Task The_packages_are_the_pinned_ones()
    {
        var versions = await RunAsync("versions", new { });

        Assert.Equal(
            ["\"4.8.3\"", "\"4.8.3\"", "\"4.8.3\"", "\"0.25.0\"", "\"0.27.0\""],
            versions.EnumerateObject().Select(version => version.Value.GetRawText()));
    }
}
