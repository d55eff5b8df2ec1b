using RealtimeStreams.EndToEnd.Tests;

namespace RealtimeStreams.Clients.Tests.S2;

/// <summary>Streams and basins as resources.</summary>
public sealed class StreamTests(SharedServer shared, NodePackages node) : S2ScenarioTests(shared, node, "s2/streams.mjs")
{
    [Theory, MemberData(nameof(EachVersion))]
    public async Task A_stream_is_created_configured_and_deleted(string version)
    {
        var name = NewName();

        var result = await RunAsync("lifecycle", new { version, basin = Basin, name });

        Assert.Equal(name, result.GetProperty("created").GetProperty("name").GetString());
        AssertError(result.GetProperty("again"), 409, "resource_already_exists");
        Assert.Equal("express", result.GetProperty("config").GetProperty("storageClass").GetString());
        Assert.Equal("arrival", result.GetProperty("config").GetProperty("timestamping").GetProperty("mode").GetString());
        foreach (var config in new[] { result.GetProperty("reconfigured"), result.GetProperty("afterwards") })
        {
            Assert.Equal("express", config.GetProperty("storageClass").GetString());
            Assert.Equal("client-require", config.GetProperty("timestamping").GetProperty("mode").GetString());
            Assert.True(config.GetProperty("timestamping").GetProperty("uncapped").GetBoolean());
        }
        Assert.Equal([0, 0], Numbers(result.GetProperty("before")));
        AssertError(result.GetProperty("appended"), 422, "invalid");
        AssertError(result.GetProperty("deleted").GetProperty("config"), 404, "stream_not_found");
        AssertError(result.GetProperty("deleted").GetProperty("again"), 404, "stream_not_found");
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Ensuring_says_whether_it_created_changed_or_found(string version) =>
        Assert.Equal(["created", "noop", "updated"], Strings(await RunAsync("ensure", new { version, basin = Basin, name = NewName() })));

    [Theory, MemberData(nameof(EachVersion))]
    public async Task A_deleted_name_is_free_again_and_begins_at_zero(string version)
    {
        var result = await RunAsync("reborn", new { version, basin = Basin, name = NewName() });

        Assert.Equal((0, 2, 2), Range(result.GetProperty("first")));
        Assert.Equal((0, 1, 1), Range(Value(result.GetProperty("second"))));
        Assert.Equal(["c"], Strings(result.GetProperty("records")));
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Streams_are_listed_by_prefix_in_pages_in_the_order_of_their_bytes(string version)
    {
        string[] names = ["b", "a", "a/1", "B", "ä", "a-1"];
        string[] sorted = ["B", "a", "a-1", "a/1", "b", "ä"];

        var result = await RunAsync("list", new { version, basin = Basin, prefix = NewName() + "/", names, after = "a-1" });

        Assert.Equal(sorted, Strings(result.GetProperty("all")));
        Assert.Equal(sorted, Strings(result.GetProperty("page").GetProperty("names")));
        Assert.False(result.GetProperty("page").GetProperty("hasMore").GetBoolean());
        Assert.Equal(sorted[..2], Strings(result.GetProperty("two").GetProperty("names")));
        Assert.True(result.GetProperty("two").GetProperty("hasMore").GetBoolean());
        Assert.Equal(sorted[3..], Strings(result.GetProperty("after").GetProperty("names")));
        Assert.Empty(Strings(result.GetProperty("none").GetProperty("names")));
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Names_are_any_text_and_each_is_a_stream_of_its_own(string version)
    {
        var prefix = NewName();
        string[] names = [$"{prefix}/a b", $"{prefix}/a%2Fb", $"{prefix}/a/b", $"{prefix}/äöü 🚀", $"{prefix}/?q#f", $"/{prefix}", $"{prefix}/a%20b", $"{prefix}/a+b"];

        var result = await RunAsync("names", new { version, basin = Basin, names });

        Assert.All(names, name => Assert.Equal([name], Strings(result.GetProperty(name))));
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task An_account_has_the_environments_basin_and_is_told_what_is_not_offered(string version)
    {
        var result = await RunAsync("account", new { version, basin = Basin });

        Assert.Equal([Basin], Strings(Value(result.GetProperty("list"))));
        Assert.Equal("noop", Value(result.GetProperty("ensure")).GetString());
        foreach (var name in new[] { "tokens", "metrics" }) AssertError(result.GetProperty(name), 501, "not_implemented");
        foreach (var name in new[] { "create", "delete" }) Assert.False(result.GetProperty(name).TryGetProperty("value", out _), name);
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task Who_may_not_is_told_so_without_retries(string version)
    {
        var result = await RunAsync("refused", new { version, basin = Basin, name = NewName() });

        AssertError(result.GetProperty("wrongToken"), 401, "authn");
        AssertError(result.GetProperty("wrongTokenSession"), 401, "authn");
        AssertError(result.GetProperty("otherBasin"), 404, "basin_not_found");
        AssertError(result.GetProperty("noStream"), 404, "stream_not_found");
        AssertError(result.GetProperty("noStreamDeleted"), 404, "stream_not_found");
        AssertError(result.GetProperty("badConfig"), 422, "invalid");
        // Rather than a retention that the server does not keep to.
        AssertError(result.GetProperty("endless"), 422, "invalid");
        Assert.Equal(3600, Value(result.GetProperty("otherRetention")).GetProperty("retentionPolicy").GetProperty("ageSecs").GetInt64());
        AssertError(result.GetProperty("encrypted"), 400, "bad_header");
    }

    [Theory, MemberData(nameof(EachVersion))]
    public async Task An_issued_token_does_what_it_names_below_its_prefix(string version)
    {
        var result = await RunAsync("token", new { version, basin = Basin, prefix = NewName() });

        Assert.Equal((0, 1, 1), Range(Value(result.GetProperty("appended"))));
        Assert.Equal(["by the worker"], Strings(result.GetProperty("stored")));
        AssertError(result.GetProperty("read"), 403, "permission_denied");
        AssertError(result.GetProperty("list"), 403, "permission_denied");
        AssertError(result.GetProperty("tooLong"), 422, "invalid");
    }
}
