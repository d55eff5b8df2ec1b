using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>useRealtimeStream in a page whose fetch asks for permission across origins, as a browser's does.</summary>
public sealed class HookTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/hook.mjs")
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    public async Task Parts_are_what_is_stored_from_the_start_index_and_what_comes(int startIndex, int skipped)
    {
        var run = await RegisterAsync();
        await AppendAsync(run, 0, 5);
        await using var page = Start("parts", new { run, key = "log", accessToken = await TokenAsync(run), count = 8 - skipped, options = new { startIndex } });
        for (var i = skipped; i < 5; i++) Assert.Equal(i, (await page.SaidAsync("data")).GetProperty("i").GetInt32());

        using (var asked = await Api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/stop", "{}")) Assert.True(asked.IsSuccessStatusCode); // Told in a comment, which clients skip.
        await AppendAsync(run, 5, 3);

        var result = await page.ResultAsync();
        Assert.Equal(Numbers(skipped, 8 - skipped), Texts(result.GetProperty("parts")));
        Assert.Equal(Numbers(skipped, 8 - skipped), Texts(result.GetProperty("data")));
        Assert.Equal("7", result.GetProperty("lastEventId").GetString());
        Assert.Equal($"{8 - skipped} parts", result.GetProperty("text").GetString());
        Assert.Single(result.GetProperty("requests").EnumerateArray());
    }

    [Fact]
    public async Task The_hook_takes_a_definition_a_key_or_nothing()
    {
        var run = await RegisterAsync();
        await AppendAsync(run, 0, 2);
        await Api.AppendAsync(run, "default", "\"by default\"");

        var result = await RunAsync("forms", new { run, accessToken = await TokenAsync(run) });

        Assert.Empty(Texts(result.GetProperty("errors")));
        Assert.Equal(Numbers(0, 2), Texts(result.GetProperty("defined")));
        Assert.Equal(["\"by default\""], Texts(result.GetProperty("byDefault")));
    }

    [Theory]
    [InlineData("other run", 403)]
    [InlineData("no token", 401)]
    [InlineData("forged", 401)]
    public async Task A_bad_token_is_shown_as_an_error_and_not_tried_for_ever(string how, int status)
    {
        var run = await RegisterAsync();
        var token = how switch
        {
            "other run" => await TokenAsync(await RegisterAsync()),
            "forged" => (await TokenAsync(run))[..^3] + "AAA",
            _ => "not-a-token",
        };

        var result = await RunAsync("error", new { run, accessToken = token });

        // A foreign run may also look like a missing one.
        Assert.Contains(result.GetProperty("status").GetInt32(), status == 403 ? [403, 404] : new[] { status });
        Assert.Equal(1, result.GetProperty("requests").GetInt32());
    }

    [Fact]
    public async Task A_page_whose_connection_is_cut_gets_every_part_once()
    {
        var run = await RegisterAsync();
        await using var proxy = new TcpProxy(Server.Port);
        await AppendAsync(run, 0, 50);
        await using var page = Start("parts", new { run, key = "log", accessToken = await TokenAsync(run), count = 150 }, proxy.Port);

        for (var begin = 0; begin < 150; begin += 50)
        {
            if (begin > 0)
            {
                Assert.True(proxy.CutAll() > 0);
                await AppendAsync(run, begin, 50);
            }
            for (var i = begin; i < begin + 50; i++) Assert.Equal(i, (await page.SaidAsync("data")).GetProperty("i").GetInt32());
        }

        var result = await page.ResultAsync();
        Assert.Equal(Numbers(0, 150), Texts(result.GetProperty("parts")));
        Assert.InRange(proxy.Cuts, 2, 20);
    }

    [Fact]
    public async Task A_page_that_comes_back_goes_on_behind_the_last_part()
    {
        var run = await RegisterAsync();
        await AppendAsync(run, 0, 4);
        await using var page = Start("comesBack", new { run, accessToken = await TokenAsync(run), first = 4, all = 7 });
        await page.SaidAsync("left");

        await AppendAsync(run, 4, 3);
        page.Tell();

        var result = await page.ResultAsync();
        Assert.Equal(Numbers(0, 7), Texts(result.GetProperty("parts")));
        Assert.Equal("3", result.GetProperty("requests")[1].GetProperty("headers").GetProperty("Last-Event-ID").GetString());
    }

    private static IEnumerable<string> Numbers(int first, int count) => Enumerable.Range(first, count).Select(i => $"{{\"i\":{i}}}");

    private Task<AppendReceipt> AppendAsync(string run, int first, int count) => Api.AppendAsync(run, "log", string.Concat(Numbers(first, count).Select(chunk => chunk + "\n")), Api.Lines);

    private async Task<string> TokenAsync(string run)
    {
        await using var scenario = Scenario.Start("trigger/tokens.mjs", "one", JsonSerializer.SerializeToNode(new { run })!, Settings(Server));
        return (await scenario.ResultAsync()).GetString()!;
    }
}
