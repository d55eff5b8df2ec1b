using System.Diagnostics;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Two servers that keep chunks for a minute, the shortest time there is, on the real clock: what every dialect says of what expired.</summary>
public sealed class RetentionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan retention = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan patience = TimeSpan.FromMinutes(2);

    private static readonly Dictionary<string, string> settings = new()
    {
        ["RealtimeStreams__Retention"] = "00:01:00",
        ["RealtimeStreams__Sweep__ExpiryInterval"] = "00:00:00.500",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_dialect_on_every_server_tells_what_expired_indexes_go_on_and_closed_streams_stay_closed()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        using var shared = new TempFolder("deployment");
        var options = new ServerProcessOptions { Nats = broker.Url, DataDirectory = shared.FullPath, Settings = settings };
        await using var first = await ServerProcess.StartAsync(options, Cancelled);
        await using var second = await ServerProcess.StartAsync(options, Cancelled);
        using var here = new Api(first.CreateClient());
        using var there = new Api(second.CreateClient());
        var run = await here.RegisterAsync();
        var began = Stopwatch.GetTimestamp();
        // In one record, which expires as a whole.
        using (var batch = await here.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "?batch=true", "[\"zero\",\"one\"]", headers: Api.Producer("p", 0)))
            Assert.Equal(200, (int)batch.StatusCode);
        await here.AppendAsync(run, "done", "\"zero\"");
        Assert.Equal(200, (int)(await here.SendAsync(HttpMethod.Post, Api.StreamPath(run, "done") + "/close", """{"outcome":"failed"}""")).StatusCode);

        // Ages that differ by more than the servers may be late.
        await Until.TrueAsync(() => "Time stands still.", () => Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1));
        await there.AppendAsync(run, "s", "\"two\"", headers: Api.Producer("p", 2));
        Assert.Equal((0, 3), await StandAsync(here, run, "s"));

        await Until.TrueAsync(() => "Nothing expired.", async () => (await StandAsync(here, run, "s")).First > 1, patience);
        Assert.True(Stopwatch.GetElapsedTime(began) >= retention, "It expired too early.");
        await Task.WhenAll(((Api[])[here, there]).Select(async api =>
        {
            Assert.Equal((2, 3), await StandAsync(api, run, "s"));
            Assert.Contains("event: trimmed\ndata: {\"requestedIndex\":0,\"firstIndex\":2}\n\nid: 2\ndata: \"two\"\n\n", await TextAsync(api, run, "text/event-stream"), StringComparison.Ordinal);
            Assert.Contains("\"two\"", await TextAsync(api, run, Api.Lines), StringComparison.Ordinal);
            Assert.Contains("\"firstIndex\":2,\"nextIndex\":3", await TextAsync(api, run, Api.Json), StringComparison.Ordinal);
            var s2 = await TellAsync(await api.SendAsync(HttpMethod.Get, $"/v1/streams/runs%2F{run}%2Fs/records?seq_num=0", headers: ("Accept", Api.Json)));
            Assert.Contains("\"seq_num\":2", s2, StringComparison.Ordinal);
            Assert.DoesNotContain("\"seq_num\":1", s2, StringComparison.Ordinal);
            var trigger = await TellAsync(await api.SendAsync(
                HttpMethod.Get, $"/realtime/v1/streams/{run}/s", headers: [("Accept", "text/event-stream"), ("Timeout-Seconds", "1")]));
            Assert.Contains("\"seq_num\":2", trigger, StringComparison.Ordinal);
            Assert.DoesNotContain("\"seq_num\":1", trigger, StringComparison.Ordinal);
        }));

        await Until.TrueAsync(() => "The last chunk did not expire.", async () => (await StandAsync(there, run, "s")).First == 3, patience);
        foreach (var api in (Api[])[here, there])
        {
            var open = await api.PageAsync(run, "s");
            Assert.Equal((3, 3, "open", true), (open.FirstIndex, open.NextIndex, open.State, open.CaughtUp));
            var closed = await api.PageAsync(run, "done");
            Assert.Equal((1, 1, "closed", "failed"), (closed.FirstIndex, closed.NextIndex, closed.State, closed.Outcome));
            Assert.Equal("stream_closed", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "done"), "1"))).Code);
            using var end = await api.OpenSseAsync(run, "done");
            Assert.Equal(["trimmed", "caught-up", "end"], (await end.UntilAsync("end")).Select(one => one.Name));
        }
        Assert.Equal(1, (await there.AppendAsync(run, "s", "\"two\"", headers: Api.Producer("p", 2))).Duplicates); // A late repeat is still one.
        Assert.Equal((3, 4), await there.AppendAsync(run, "s", "\"three\"", headers: Api.Producer("p", 3)) is { } receipt ? (receipt.FirstIndex, receipt.NextIndex) : default);
        output.WriteLine(await TellAsync(await here.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}")));
    }

    /// <summary>The first index that can be read, and the next.</summary>
    private static async Task<(long First, long Next)> StandAsync(Api api, string run, string key)
    {
        using var tail = await api.HeadAsync(run, key);
        return (long.Parse(Api.Header(tail, "RealtimeStreams-First-Index")!), long.Parse(Api.Header(tail, "RealtimeStreams-Next-Index")!));
    }

    /// <summary>A read from the beginning that ends after a second of silence.</summary>
    private async Task<string> TextAsync(Api api, string run, string accept) =>
        await TellAsync(await api.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s") + "?startIndex=0&timeoutInSeconds=1", headers: ("Accept", accept)));

    private async Task<string> TellAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync(Cancelled);
            output.WriteLine($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.PathAndQuery} {answer.RequestMessage.Headers.Accept}\n{text}\n");
            Assert.Equal(200, (int)answer.StatusCode);
            return text;
        }
    }
}
