using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Two environments on one server: through no dialect does either see, name or count what is the other's.</summary>
[Collection<AdminServersCollection>]
public sealed partial class IsolationTests(AdminServers servers)
{
    private const string Task = "send-mail";

    // {0}: a run's id. {1}: the name of a stream outside runs.
    public static TheoryData<string, string, string?> Requests => new()
    {
        { "GET", "/api/v1/runs/{0}", null },
        { "GET", "/api/v1/runs/{0}/streams", null },
        { "GET", "/api/v1/runs/{0}/streams/out", null },
        { "HEAD", "/api/v1/runs/{0}/streams/out", null },
        { "POST", "/api/v1/runs/{0}/streams/out", "1" },
        { "POST", "/api/v1/runs/{0}/streams/other", "1" },
        { "POST", "/api/v1/runs/{0}/streams/out/close", null },
        { "POST", "/api/v1/runs/{0}/complete", null },
        { "POST", "/api/v1/runs/{0}/renew", """{"worker":"w","attempt":1}""" },
        { "DELETE", "/api/v1/runs/{0}", null },
        { "POST", "/api/v1/runs/{0}/stop", """{"reason":"x"}""" },
        { "GET", "/api/v1/runs/{0}/stop", null },
        { "POST", "/api/v1/runs/{0}/stop/seen", """{"worker":"w","attempt":1}""" },
        { "POST", "/api/v1/runs/{0}/inputs/in", "1" },
        { "GET", "/api/v1/runs/{0}/inputs/in", null },
        { "HEAD", "/api/v1/runs/{0}/inputs/in", null },
        { "GET", "/api/v3/runs/{0}", null },
        { "POST", "/api/v2/runs/{0}/cancel", null },
        { "GET", "/realtime/v1/runs/{0}", null },
        { "GET", "/realtime/v1/streams/{0}/out", null },
        { "GET", "/realtime/v1/streams/{0}/input/in", null },
        { "POST", "/realtime/v1/streams/{0}/input/in", """{"data":1}""" },
        { "HEAD", "/realtime/v1/streams/{0}/self/out", null },
        { "POST", "/realtime/v1/streams/{0}/self/out/append", "1" },
        { "GET", "/v1/streams/runs%2F{0}%2Fout/records?seq_num=0", null },
        { "GET", "/v1/streams/runs%2F{0}%2Fout/records/tail", null },
        { "POST", "/v1/streams/runs%2F{0}%2Fout/records", """{"records":[{"body":"x"}]}""" },
        { "GET", "/v1/streams/runs%2F{0}%2Fout", null },
        { "GET", "/v1/streams/{1}/records?seq_num=0", null },
        { "GET", "/v1/streams/{1}/records/tail", null },
        { "POST", "/v1/streams/{1}/records", """{"records":[{"body":"x"}]}""" },
        { "GET", "/v1/streams/{1}", null },
        { "PATCH", "/v1/streams/{1}", "{}" },
        { "DELETE", "/v1/streams/{1}", null },
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task What_is_foreign_answers_byte_for_byte_as_what_is_missing(string method, string path, string? body)
    {
        var owner = await TenantAsync();
        var other = await TenantAsync();
        var (run, stream) = await FillAsync(owner);

        var foreign = await AskAsync(other, method, Fill(path, run, stream), body);
        var (noRun, noStream) = (Api.NewId(), Api.NewId("named"));
        var missing = await AskAsync(other, method, Fill(path, noRun, noStream), body);

        Assert.NotEqual("a stream", foreign.Body);
        Assert.Equal(missing.Status, foreign.Status);
        Assert.Equal(WithoutTimes(missing.Body.Replace(noRun, run, StringComparison.Ordinal).Replace(noStream, stream, StringComparison.Ordinal)), WithoutTimes(foreign.Body));
        // S2 makes a stream when it is first asked for: then one of the caller's own, empty one.
        if (!path.Contains("{1}", StringComparison.Ordinal)) Assert.True((int)foreign.Status >= 400, $"{foreign.Status} {foreign.Body}");
        await AssertUnchangedAsync(owner, run, stream);
    }

    [Fact]
    public async Task Lists_and_claims_hold_only_what_is_ones_own()
    {
        var owner = await TenantAsync();
        var other = await TenantAsync();
        await FillAsync(owner);

        Assert.Equal("""{"runs":[]}""", (await AskAsync(other, "GET", "/api/v1/runs")).Body);
        Assert.Equal("""{"runs":[]}""", (await AskAsync(other, "GET", "/api/v1/runs?tag=tagged")).Body);
        Assert.Equal("""{"runs":[]}""", (await AskAsync(other, "GET", $"/api/v1/runs?taskId={Task}")).Body);
        using var streams = JsonDocument.Parse((await AskAsync(other, "GET", "/v1/streams")).Body);
        Assert.Empty(streams.RootElement.GetProperty("streams").EnumerateArray());
        Assert.Equal(HttpStatusCode.NoContent, (await AskAsync(other, "POST", "/api/v1/runs/claim", $$"""{"tasks":["{{Task}}"],"worker":"w"}""")).Status);
        var basins = (await AskAsync(owner, "GET", "/v1/basins")).Body;
        Assert.NotEqual(basins, (await AskAsync(other, "GET", "/v1/basins")).Body);
        using var own = JsonDocument.Parse(basins);
        var basin = own.RootElement.GetProperty("basins").EnumerateArray().Single().GetProperty("name").GetString()!;
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(other, "GET", "/v1/streams", headers: ("s2-basin", basin))).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(owner, "GET", "/v1/streams", headers: ("s2-basin", basin))).Status);
    }

    [Fact]
    public async Task The_same_ids_are_free_in_every_environment_and_erasing_ones_own_leaves_the_others()
    {
        var owner = await TenantAsync();
        var other = await TenantAsync();
        var (run, stream) = await FillAsync(owner);

        await FillAsync(other, run, stream);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(other, "DELETE", $"/api/v1/runs/{run}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(other, "GET", $"/api/v1/runs/{run}")).Status);

        await AssertUnchangedAsync(owner, run, stream);
    }

    [Fact]
    public async Task A_token_opens_only_the_environment_whose_key_signed_it()
    {
        var owner = await TenantAsync();
        var other = await TenantAsync();
        var (run, stream) = await FillAsync(owner);
        await FillAsync(other, run, stream);
        var path = $"/api/v3/runs/{run}";

        Assert.Equal(HttpStatusCode.OK, (await AskAsync(owner with { SecretKey = Sign(owner.Environment, owner.SecretKey, run) }, "GET", path)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(owner with { SecretKey = Sign(other.Environment, owner.SecretKey, run) }, "GET", path)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(owner with { SecretKey = Sign("nowhere", owner.SecretKey, run) }, "GET", path)).Status);
    }

    [Theory]
    [InlineData("*")]
    [InlineData(">")]
    [InlineData("default.*")]
    public async Task An_environment_that_is_called_like_a_wildcard_is_one_of_its_own(string id)
    {
        var owner = await TenantAsync();
        var wildcard = await servers.MakeAsync(id);
        // The same names, so that nothing but the environment tells them apart.
        var (run, stream) = await FillAsync(owner);
        await FillAsync(wildcard, run, stream);

        Assert.Equal(HttpStatusCode.OK, (await AskAsync(wildcard, "POST", $"/api/v1/runs/{run}/streams/out", "3")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(wildcard, "POST", $"/api/v1/runs/{run}/complete", """{"outcome":"cancelled"}""")).Status);
        Assert.True((int)(await AskAsync(wildcard, "DELETE", $"/api/v1/runs/{run}")).Status < 300);
        Assert.True((int)(await AskAsync(wildcard, "DELETE", $"/v1/streams/{stream}")).Status < 300);

        await AssertUnchangedAsync(owner, run, stream);
        Assert.Equal("""{"runs":[]}""", (await AskAsync(wildcard, "GET", "/api/v1/runs")).Body);
    }

    private static string Fill(string path, string run, string stream) =>
        path.Replace("{0}", run, StringComparison.Ordinal).Replace("{1}", stream, StringComparison.Ordinal);

    [GeneratedRegex("\"timestamp\":[0-9]+")]
    private static partial Regex Timestamp();

    private static string WithoutTimes(string body) => Timestamp().Replace(body, "");

    private static string Sign(string environment, string key, string run) => PublicToken.Sign(key, [$"read:runs:{run}"], claims => claims["sub"] = environment);

    private async Task<MadeSecretKey> TenantAsync() => await servers.MakeAsync();

    /// <summary>Gives a tenant a triggered run with two chunks, and a stream outside runs with one record.</summary>
    private async Task<(string Run, string Stream)> FillAsync(MadeSecretKey tenant, string? run = null, string? stream = null)
    {
        run ??= Api.NewId();
        stream ??= Api.NewId("named");
        var register = $$"""{"id":"{{run}}","taskId":"{{Task}}","triggered":true,"payload":{"secret":1},"tags":["tagged"]}""";
        Assert.Equal(HttpStatusCode.Created, (await AskAsync(tenant, "POST", "/api/v1/runs", register)).Status);
        foreach (var chunk in (string[])["1", "2"])
            Assert.Equal(HttpStatusCode.OK, (await AskAsync(tenant, "POST", $"/api/v1/runs/{run}/streams/out", chunk)).Status);
        Assert.Equal(HttpStatusCode.Created, (await AskAsync(tenant, "POST", "/v1/streams", $$"""{"stream":"{{stream}}"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(tenant, "POST", $"/v1/streams/{stream}/records", """{"records":[{"body":"mine"}]}""")).Status);
        return (run, stream);
    }

    private async Task AssertUnchangedAsync(MadeSecretKey owner, string run, string stream)
    {
        using var info = JsonDocument.Parse((await AskAsync(owner, "GET", $"/api/v1/runs/{run}")).Body);
        Assert.Equal(("open", "queued"), (info.RootElement.GetProperty("status").GetString(), info.RootElement.GetProperty("phase").GetString()));
        var only = Assert.Single(info.RootElement.GetProperty("streams").EnumerateArray());
        Assert.Equal(("out", 2, "open"), (only.GetProperty("key").GetString(), only.GetProperty("nextIndex").GetInt64(), only.GetProperty("state").GetString()));
        using var tail = JsonDocument.Parse((await AskAsync(owner, "GET", $"/v1/streams/{stream}/records/tail")).Body);
        Assert.Equal(1, tail.RootElement.GetProperty("tail").GetProperty("seq_num").GetInt64());
    }

    private async Task<(HttpStatusCode Status, string Body)> AskAsync(
        MadeSecretKey tenant, string method, string path, string? body = null, params (string Name, string? Value)[] headers)
    {
        using var api = new Api(new HttpClient { BaseAddress = servers.First.Address, Timeout = TimeSpan.FromSeconds(30) });
        using var answer = await api.SendAsync(new HttpMethod(method), path, body, headers: [("Authorization", $"Bearer {tenant.SecretKey}"), .. headers]);
        // A stream that opened would go on for ever; no request here may open one.
        return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "a stream" : await answer.Content.ReadAsStringAsync(Cancelled));
    }
}
