using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;

namespace RealtimeStreams.Clients.Tests.Trigger;

/// <summary>auth.createPublicToken(): a token reads what its scopes name, and nothing else.</summary>
public sealed class TokenTests(SharedServer shared, NodePackages node) : ScenarioTests(shared, node, "trigger/tokens.mjs")
{
    [Fact]
    public async Task A_token_for_the_run_its_tag_or_all_runs_reads()
    {
        var run = await RegisterAsync(tags: "user:1");
        await Api.AppendAsync(run, "log", "1");

        var result = await RunAsync("create", new { run, tag = "user:1" });

        foreach (var name in new[] { "readByRun", "readByTag", "readByAll" }) Assert.Equal(["1"], Texts(Value(result, name)));
        var claims = result.GetProperty("claims");
        Assert.True(claims.GetProperty("pub").GetBoolean());
        Assert.NotEmpty(claims.GetProperty("sub").GetString()!);
    }

    [Fact]
    public async Task Every_other_token_is_refused_at_once()
    {
        var run = await RegisterAsync();
        var other = await RegisterAsync();
        await Api.AppendAsync(run, "log", "1");
        await Api.AppendAsync(other, "log", "2");

        var result = await RunAsync("refused", new { run, other });

        Assert.Equal(["1"], Texts(Value(result, "controlOfTheSame")));
        foreach (var name in new[] { "expired", "forged", "changed", "unsigned", "wrongAudience", "wrongIssuer", "otherEnvironment", "noToken" })
            AssertRefused(result, name, 401);
        // A run of another scope is either forbidden or, as nobody's, not found: both end the reader for good.
        foreach (var name in new[] { "wrongRun", "wrongAction", "noScopes" }) AssertRefused(result, name, 403, 404);
        AssertRefused(result, "unknownRun", 404);
    }

    [Fact]
    public async Task A_public_token_writes_nothing()
    {
        var run = await RegisterAsync();

        var result = await RunAsync("write", new { run });

        Assert.All(result.EnumerateObject(), answer => Assert.Equal((answer.Name, 401), (answer.Name, answer.Value.GetInt32())));
        Assert.Empty(await StoredAsync(run, "log"));
    }

    [Fact]
    public async Task A_token_for_input_streams_sends_to_its_run_only()
    {
        var run = await RegisterAsync();
        var other = await RegisterAsync();

        var result = await RunAsync("send", new { run, other });

        Assert.False(result.GetProperty("own").TryGetProperty("error", out _), result.GetRawText());
        AssertRefused(result, "other", 403, 404);
        AssertRefused(result, "read", 403, 404);
        Assert.Equal(["""{"stop":true}"""], await StoredAsync(run, "$input:commands"));
    }

    private static JsonElement Value(JsonElement result, string name)
    {
        var outcome = result.GetProperty(name);
        return outcome.TryGetProperty("value", out var value) ? value : throw new InvalidOperationException($"{name} was refused: {outcome}");
    }

    private static void AssertRefused(JsonElement result, string name, params int[] statuses)
    {
        var outcome = result.GetProperty(name);
        Assert.True(outcome.TryGetProperty("status", out var status), $"{name} was not refused: {outcome}");
        Assert.True(statuses.Contains(status.GetInt32()), $"{name}: {outcome}");
        Assert.InRange(outcome.GetProperty("milliseconds").GetDouble(), 0, 10_000);
    }
}
