using System.Diagnostics;
using System.Net.Http.Headers;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>What goes on with a secret key when that is revoked, on the server that is told and on the other.</summary>
[Collection<AdminServersCollection>]
public sealed class RevokedKeyTests(AdminServers servers)
{
    [Fact]
    public async Task What_goes_on_with_a_key_ends_with_the_key_on_every_server_and_nothing_else_does()
    {
        var made = await servers.MakeAsync();
        var keys = $"/api/v1/admin/environments/{Uri.EscapeDataString(made.Environment)}/keys";
        using var admin = new Api(NewClient(AdminServers.OperatorKey, second: false));
        var other = await Api.ReadAsync(await admin.SendAsync(HttpMethod.Post, keys), NativeJson.Default.MadeSecretKey);
        using var here = new Api(NewClient(made.SecretKey, second: false));
        using var there = new Api(NewClient(made.SecretKey, second: true));
        using var staying = new Api(NewClient(other.SecretKey, second: true));
        var run = await here.RegisterAsync();
        await here.AppendAsync(run, "s", "0");
        var token = PublicToken.Sign(made.SecretKey, ["read:runs"], claims => claims["sub"] = made.Environment);

        using var readHere = await here.OpenSseAsync(run, "s");
        using var readThere = await there.OpenSseAsync(run, "s");
        using var withToken = await there.OpenSseAsync(run, "s", "", ("Authorization", $"Bearer {token}"));
        using var withOther = await staying.OpenSseAsync(run, "s");
        await using var body = await RawRequest.PostLinesAsync(servers.Second, Api.StreamPath(run, "lines"), Api.Producer("p", 0), made.SecretKey);
        await body.WriteChunkAsync("1\n");
        var claim = there.SendAsync(HttpMethod.Post, "/api/v1/runs/claim", """{"tasks":["nobodys"],"worker":"w","waitInSeconds":30}""");
        using var trigger = await there.SendAsync(HttpMethod.Get, $"/realtime/v1/streams/{run}/s");
        using var records = await there.SendAsync(HttpMethod.Get, $"/v1/streams/runs%2F{run}%2Fs/records?seq_num=0", headers: ("Accept", "text/event-stream"));
        await using var pipe = await RawRequest.PostLinesAsync(servers.Second, $"/realtime/v1/streams/{run}/self/pipe", [], made.SecretKey);
        await pipe.WriteChunkAsync("1\n");
        var page = there.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s") + "?startIndex=1&timeoutInSeconds=30", headers: ("Accept", Api.Json));
        var batch = there.SendAsync(HttpMethod.Get, $"/v1/streams/runs%2F{run}%2Fs/records?seq_num=1&wait=30", headers: ("Accept", Api.Json));
        foreach (var read in (SseReader[])[readHere, readThere, withToken, withOther]) await read.UntilAsync("caught-up");

        await Until.TrueAsync(() => "The open body's chunk is not stored.", async () => (await staying.PageAsync(run, "lines")).NextIndex == 1 && (await staying.PageAsync(run, "pipe")).NextIndex == 1);

        var began = Stopwatch.GetTimestamp();
        using (var revoked = await admin.SendAsync(HttpMethod.Delete, $"{keys}/{made.Key.Id}")) Assert.Equal(200, (int)revoked.StatusCode);

        var last = new SseEvent(null, "token-expired", "{\"nextIndex\":1,\"reason\":\"revoked\"}");
        foreach (var read in (SseReader[])[readHere, readThere, withToken]) Assert.Equal([last], await read.RestAsync());
        var took = Stopwatch.GetElapsedTime(began);
        TestContext.Current.TestOutputHelper?.WriteLine($"The reads had ended after {took.TotalMilliseconds:0} ms."); // That it is within a second is shown by a clock that is stepped: CredentialWatchTests.
        Assert.StartsWith("HTTP/1.1 401 ", await body.ReadUntilAsync("\"nextSequence\":1}"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 401 ", await pipe.ReadUntilAsync("\"unauthorized\""), StringComparison.Ordinal);
        Assert.Equal("unauthorized", (await Api.ReadProblemAsync(await claim)).Code);
        Assert.Equal("unauthorized", (await Api.ReadProblemAsync(await page)).Code);
        using (var ended = await batch)
        {
            Assert.Equal(401, (int)ended.StatusCode);
            Assert.Contains("\"code\":\"authn\"", await ended.Content.ReadAsStringAsync(Api.Cancellation), StringComparison.Ordinal);
        }
        await using (var rest = await trigger.Content.ReadAsStreamAsync(Api.Cancellation))
            await Assert.ThrowsAnyAsync<IOException>(() => rest.CopyToAsync(Stream.Null, Api.Cancellation)); // Cut off: a clean end would be the stream's.
        Assert.Contains("event: error\ndata: {\"code\":\"authn\"", await records.Content.ReadAsStringAsync(Api.Cancellation), StringComparison.Ordinal);
        Assert.Equal(401, (int)(await there.HeadAsync(run, "s")).StatusCode);

        await staying.AppendAsync(run, "s", "1");
        await staying.CompleteAsync(run);
        Assert.Equal([new SseEvent("1", null, "1"), new SseEvent(null, "end", """{"outcome":"completed","nextIndex":2}""")], await withOther.RestAsync());
        Assert.Equal(["1"], (await staying.PageAsync(run, "lines")).Data);
        Assert.Equal(["1"], (await staying.PageAsync(run, "pipe")).Data);
    }

    private HttpClient NewClient(string credential, bool second) => new()
    {
        BaseAddress = (second ? servers.Second : servers.First).Address,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", credential) },
    };
}
