namespace RealtimeStreams.Dialects.S2.Tests.Server;

public sealed class StreamsTests(S2Server server) : IDisposable
{
    private readonly S2Caller caller = server.NewCaller();
    private readonly string name = S2Caller.NewName();

    [Fact]
    public async Task A_stream_is_created_once_and_again_by_the_same_request_only()
    {
        var body = $$"""{"stream":"{{name}}"}""";

        var first = await caller.SendAsync(HttpMethod.Post, "/v1/streams", body, ("s2-request-token", "t1"));
        var same = await caller.SendAsync(HttpMethod.Post, "/v1/streams", body, ("s2-request-token", "t1"));
        var other = await caller.SendAsync(HttpMethod.Post, "/v1/streams", body, ("s2-request-token", "t2"));

        Assert.Equal((201, 201), (first.Status, same.Status));
        Assert.Equal(("created", "noop"), (Result(first), Result(same)));
        Assert.Equal(first.Text, same.Text);
        Assert.Equal(name, first.Json.GetProperty("name").GetString());
        Assert.Equal((409, "resource_already_exists"), other.Error);
    }

    [Fact]
    public async Task Ensuring_says_whether_it_created_changed_or_found()
    {
        const string arrival = """{"timestamping":{"mode":"arrival"}}""";

        var created = await EnsureAsync(arrival);
        var found = await EnsureAsync(arrival);
        var left = await EnsureAsync(null);
        var changed = await EnsureAsync("""{"storage_class":"standard"}""");

        Assert.Equal([(201, "created"), (200, "noop"), (200, "noop"), (200, "updated")], ((Answer[])[created, found, left, changed]).Select(answer => (answer.Status, Result(answer))));
        Assert.Equal(
            """{"storage_class":"standard","retention_policy":{"age":2419200},"timestamping":{"mode":"client-prefer","uncapped":false},"delete_on_empty":{"min_age_secs":0}}""",
            (await caller.GetAsync($"/v1/streams/{name}")).Text);
    }

    [Fact]
    public async Task A_configuration_is_changed_in_parts_and_holds_for_the_next_append()
    {
        await EnsureAsync("""{"timestamping":{"uncapped":true}}""");
        var later = TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds();

        var uncapped = await caller.AppendAsync(name, $$"""{"records":[{"timestamp":{{later}}}]}""");
        var patched = await caller.SendAsync(HttpMethod.Patch, $"/v1/streams/{name}", """{"timestamping":{"mode":"client-require"}}""");
        var missing = await caller.AppendAsync(name, """{"records":[{}]}""");

        Assert.Equal(later, uncapped.Json.GetProperty("start").GetProperty("timestamp").GetInt64());
        Assert.Equal("""{"mode":"client-require","uncapped":true}""", patched.Json.GetProperty("timestamping").GetRawText());
        Assert.Equal((422, "invalid"), missing.Error);
        Assert.Equal((404, "stream_not_found"), (await caller.SendAsync(HttpMethod.Patch, $"/v1/streams/{name}-none", "{}")).Error);
    }

    [Fact]
    public async Task A_timestamp_is_capped_at_the_arrival_and_never_goes_back()
    {
        var later = TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds();

        var capped = await caller.AppendAsync(name, $$"""{"records":[{"timestamp":{{later}}}]}""");
        var back = await caller.AppendAsync(name, """{"records":[{"timestamp":5},{"timestamp":3}]}""");

        var arrival = capped.Json.GetProperty("start").GetProperty("timestamp").GetInt64();
        Assert.InRange(arrival, later - 2 * 86_400_000, later - 1);
        Assert.Equal(arrival, back.Json.GetProperty("start").GetProperty("timestamp").GetInt64());
        Assert.Equal(arrival, back.Json.GetProperty("end").GetProperty("timestamp").GetInt64());
    }

    [Theory]
    [InlineData("""{"retention_policy":{"age":59}}""", "60 to 2419200")]
    [InlineData("""{"retention_policy":{"age":2419201}}""", "60 to 2419200")]
    [InlineData("""{"retention_policy":{"age":60.5}}""", "60 to 2419200")]
    [InlineData("""{"retention_policy":{}}""", "60 to 2419200")]
    [InlineData("""{"retention_policy":{"infinite":{}}}""", "for ever")]
    [InlineData("""{"delete_on_empty":{"min_age_secs":60}}""", "min_age_secs")]
    [InlineData("""{"storage_class":"tape"}""", "express")]
    [InlineData("""{"timestamping":{"mode":"never"}}""", "client-prefer")]
    [InlineData("""{"timestamping":{"uncapped":1}}""", "true")]
    public async Task A_configuration_that_cannot_be_is_refused_with_what_can(string config, string hint)
    {
        foreach (var answer in (Answer[])
        [
            await EnsureAsync(config),
            await caller.SendAsync(HttpMethod.Post, "/v1/streams", $$"""{"stream":"{{name}}","config":{{config}}}"""),
            await caller.AppendAsync(name, """{"records":[{}]}""", ("s2-stream-config", config)),
        ])
        {
            Assert.Equal((422, "invalid"), answer.Error);
            Assert.Contains(hint, answer.Text, StringComparison.Ordinal);
        }
        Assert.Equal(404, (await caller.GetAsync($"/v1/streams/{name}")).Status);
    }

    [Fact]
    public async Task A_stream_says_how_long_it_is_kept_when_it_is_made_and_later()
    {
        await caller.SendAsync(HttpMethod.Post, "/v1/streams", $$"""{"stream":"{{name}}","config":""" + """{"retention_policy":{"age":3600}}}""");
        Assert.Equal(3600, await AgeAsync(name));

        var patched = await caller.SendAsync(HttpMethod.Patch, $"/v1/streams/{name}", """{"retention_policy":{"age":7200}}""");
        Assert.Equal(7200, patched.Json.GetProperty("retention_policy").GetProperty("age").GetInt64());
        await caller.SendAsync(HttpMethod.Patch, $"/v1/streams/{name}", """{"storage_class":"standard"}""");
        Assert.Equal(7200, await AgeAsync(name));
        await EnsureAsync("""{"storage_class":"standard"}"""); // Replaces all.
        Assert.Equal(2419200, await AgeAsync(name));
        await caller.AppendAsync($"{name}-other", """{"records":[{}]}""", ("s2-stream-config", """{"retention_policy":{"age":60}}"""));
        Assert.Equal(60, await AgeAsync($"{name}-other"));
    }

    [Fact]
    public async Task A_runs_stream_is_kept_as_long_as_its_run_says_and_a_basins_as_its_operator_does()
    {
        using var client = server.Process.CreateClient();
        using var made = await client.PostAsync(
            new Uri("/api/v1/runs", UriKind.Relative), new StringContent($$"""{"id":"{{name}}","retentionInSeconds":3600}""", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        var stream = $"runs%2F{name}%2Fdefault";

        Assert.Equal(3600, await AgeAsync(stream));
        Assert.Equal(200, (await caller.SendAsync(HttpMethod.Patch, $"/v1/streams/{stream}", """{"retention_policy":{"age":3600}}""")).Status);
        var other = await caller.SendAsync(HttpMethod.Patch, $"/v1/streams/{stream}", """{"retention_policy":{"age":60}}""");
        Assert.Equal((422, "invalid"), other.Error);
        Assert.Contains("3600", other.Text, StringComparison.Ordinal);
        var basin = await caller.SendAsync(HttpMethod.Put, $"/v1/basins/{S2Server.Basin}", """{"config":{"default_stream_config":{"retention_policy":{"age":60}}}}""");
        Assert.Equal((422, "invalid"), basin.Error);
        Assert.Contains("2419200", basin.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_append_may_say_how_the_stream_is_to_be()
    {
        await caller.AppendAsync(name, """{"records":[{}]}""", ("s2-stream-config", """{"timestamping":{"mode":"arrival"}}"""));
        await caller.AppendAsync(name, """{"records":[{}]}""", ("s2-stream-config", """{"timestamping":{"mode":"client-require"}}"""));

        Assert.Equal("arrival", (await caller.GetAsync($"/v1/streams/{name}")).Json.GetProperty("timestamping").GetProperty("mode").GetString());
        Assert.Equal((400, "bad_header"), (await caller.AppendAsync($"{name}-other", """{"records":[{}]}""", ("s2-stream-config", "{"))).Error);
    }

    [Fact]
    public async Task Streams_are_listed_in_order_and_page_by_page()
    {
        foreach (var letter in "cab") await EnsureAsync(null, $"{name}/{letter}");

        var first = await caller.GetAsync($"/v1/streams?prefix={name}%2F&limit=2");
        var rest = await caller.GetAsync($"/v1/streams?prefix={name}%2F&start_after={name}%2Fb");

        Assert.Equal([$"{name}/a", $"{name}/b"], Names(first));
        Assert.True(first.Json.GetProperty("has_more").GetBoolean());
        Assert.Equal([$"{name}/c"], Names(rest));
        Assert.False(rest.Json.GetProperty("has_more").GetBoolean());
        Assert.Equal((400, "bad_query"), (await caller.GetAsync("/v1/streams?limit=many")).Error);
    }

    [Fact]
    public async Task A_deleted_stream_is_gone_and_its_name_is_free_for_a_new_one()
    {
        await caller.AppendTextAsync(name, "a", "b");

        var deleted = await caller.SendAsync(HttpMethod.Delete, $"/v1/streams/{name}");

        Assert.Equal((202, 0), (deleted.Status, deleted.Body.Length));
        var receipt = await caller.GetAsync($"/api/v1/erasures/{Assert.Single(deleted.Response.Headers.GetValues("RealtimeStreams-Erasure"))}");
        Assert.Equal((name, "erased"), (receipt.Json.GetProperty("stream").GetString(), receipt.Json.GetProperty("state").GetString()));
        Assert.False(receipt.Json.TryGetProperty("run", out _)); // Nobody is told which hidden run it was.
        Assert.Equal((404, "stream_not_found"), (await caller.GetAsync($"/v1/streams/{name}")).Error);
        Assert.Equal((404, "stream_not_found"), (await caller.SendAsync(HttpMethod.Delete, $"/v1/streams/{name}")).Error);
        Assert.Equal(0, (await caller.AppendAsync(name, """{"records":[{"body":"new"}]}""")).SeqNum("start"));
        Assert.Equal(["new"], await caller.BodiesAsync(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"stream":5}""")]
    [InlineData("nonsense")]
    public async Task A_creation_without_a_name_is_refused(string body) =>
        Assert.Equal((400, "bad_json"), (await caller.SendAsync(HttpMethod.Post, "/v1/streams", body)).Error);

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a\\u0000b")]
    public async Task A_creation_with_what_can_be_no_name_is_refused(string text) =>
        Assert.Equal((422, "invalid"), (await caller.SendAsync(HttpMethod.Post, "/v1/streams", $$"""{"stream":"{{text}}"}""")).Error);

    [Fact]
    public async Task The_environment_is_the_one_basin()
    {
        var listed = await caller.GetAsync("/v1/basins");
        var config = await caller.GetAsync($"/v1/basins/{S2Server.Basin}");
        var ensured = await caller.SendAsync(HttpMethod.Put, $"/v1/basins/{S2Server.Basin}", """{"config":{"create_stream_on_append":true}}""");
        var refused = await caller.SendAsync(HttpMethod.Put, $"/v1/basins/{S2Server.Basin}", """{"config":{"create_stream_on_append":false}}""");

        Assert.Equal(S2Server.Basin, Assert.Single(listed.Json.GetProperty("basins").EnumerateArray()).GetProperty("name").GetString());
        Assert.True(config.Json.GetProperty("create_stream_on_append").GetBoolean());
        Assert.Equal((200, "noop"), (ensured.Status, Result(ensured)));
        Assert.Equal((422, "invalid"), refused.Error);
        Assert.Equal((404, "basin_not_found"), (await caller.GetAsync("/v1/basins/another-basin")).Error);
    }

    [Theory]
    [InlineData("GET", "/v1/access-tokens", 501, "not_implemented")]
    [InlineData("GET", "/v1/metrics/basin", 501, "not_implemented")]
    [InlineData("GET", "/v1/locations", 501, "not_implemented")]
    [InlineData("POST", "/v1/basins", 501, "not_implemented")]
    [InlineData("DELETE", "/v1/basins/whatever", 501, "not_implemented")]
    [InlineData("GET", "/v1/nothing", 404, "not_found")]
    [InlineData("DELETE", "/v1/streams", 404, "not_found")]
    public async Task What_is_not_there_says_so(string method, string path, int status, string code) =>
        Assert.Equal((status, code), (await caller.SendAsync(new HttpMethod(method), path)).Error);

    [Fact]
    public async Task An_endpoint_with_a_slash_too_many_is_explained() =>
        Assert.Contains("slash at its end", (await caller.GetAsync("/v1//streams/a/records/tail")).Text, StringComparison.Ordinal);

    public void Dispose() => caller.Dispose();

    private Task<Answer> EnsureAsync(string? config, string? stream = null) =>
        caller.SendAsync(HttpMethod.Put, $"/v1/streams/{Uri.EscapeDataString(stream ?? name)}", config);

    private async Task<long> AgeAsync(string stream) =>
        (await caller.GetAsync($"/v1/streams/{stream}")).Json.GetProperty("retention_policy").GetProperty("age").GetInt64();

    private static string? Result(Answer answer) =>
        answer.Response.Headers.TryGetValues("s2-provision-result", out var values) ? Assert.Single(values) : null;

    private static IEnumerable<string> Names(Answer answer) =>
        answer.Json.GetProperty("streams").EnumerateArray().Select(stream => stream.GetProperty("name").GetString()!);
}
