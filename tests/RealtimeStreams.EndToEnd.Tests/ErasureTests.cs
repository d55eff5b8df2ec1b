using System.Diagnostics;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>Several servers on one broker and one database: an erasure that is said to be done is done on all of them, whichever of them dies meanwhile.</summary>
public sealed class ErasureTests
{
    internal const string ReadLink = "realtimestreams-read";
    private const string PublishLink = "realtimestreams-publish";

    private static readonly Dictionary<string, string> settings = new()
    {
        ["RealtimeStreams__RunRegistry__RepeatAfter"] = "00:00:02",
        ["RealtimeStreams__Sweep__Interval"] = "00:00:01",
        ["RealtimeStreams__Sweep__ShortInterval"] = "00:00:00.500",
        ["RealtimeStreams__Sweep__ExpiryInterval"] = "00:00:00.500",
        ["RealtimeStreams__Sweep__ExpiryClaim"] = "00:00:02",
    };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_said_to_be_erased_no_live_reader_of_any_server_gets_any_more_and_no_open_body_adds_to_it()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        using var shared = new TempFolder("deployment");
        var options = new ServerProcessOptions { Nats = broker.Url, DataDirectory = shared.FullPath, Settings = settings };
        await using var first = await ServerProcess.StartAsync(options, Cancelled);
        await using var second = await ServerProcess.StartAsync(options, Cancelled);
        using var here = new Api(first.CreateClient());
        using var there = new Api(second.CreateClient());
        for (var round = 0; round < 5; round++)
        {
            var run = await here.RegisterAsync();
            await here.AppendAsync(run, "s", "\"secret\"");
            using var reader = await there.OpenSseAsync(run, "s");
            await reader.UntilAsync("caught-up");
            using OpenBody native = new(Api.Lines), trigger = new(Api.Lines);
            using HttpRequestMessage lines = there.Request(HttpMethod.Post, Api.StreamPath(run, "s")), parts = there.Request(HttpMethod.Post, $"/realtime/v1/streams/{run}/self/s");
            (lines.Content, parts.Content) = (native, trigger);
            var writing = new List<Task<HttpResponseMessage>>();
            foreach (var (request, body) in ((HttpRequestMessage, OpenBody)[])[(lines, native), (parts, trigger)])
            {
                writing.Add(there.Client.SendAsync(request, Cancelled));
                await body.WriteAsync("\"first\"\n");
                Assert.Equal("\"first\"", (await reader.NextAsync())!.Data);
            }

            var receipt = await Api.ReadAsync(await here.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds=30"), NativeJson.Default.ErasureReceipt);

            Assert.Equal(ErasureState.Erased, receipt.State);
            Assert.Equal("run_not_found", (await Api.ReadProblemAsync(await there.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", Api.Json)))).Code);
            Assert.Contains("stream_gone", Assert.Single(await reader.RestAsync()).Data, StringComparison.Ordinal);
            foreach (var body in (OpenBody[])[native, trigger])
            {
                await body.WriteAsync("\"late\"\n");
                body.End();
            }
            var refused = await Api.ReadProblemAsync(await writing[0]);
            Assert.Equal(("run_not_found", 1), (refused.Code, refused.Receipt!.Stored));
            using (var answer = await writing[1]) Assert.Equal(404, (int)answer.StatusCode);
            Assert.Equal(receipt, await Api.ReadAsync(await there.SendAsync(HttpMethod.Get, $"/api/v1/erasures/{receipt.Id}"), NativeJson.Default.ErasureReceipt));
        }
        Assert.Equal(0, await broker.CountMessagesAsync(Cancelled));
    }

    [Fact]
    public async Task An_erasure_whose_server_was_killed_in_the_middle_is_finished_by_another_and_says_so()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var postgres = TestPostgres.IsPresent ? await TestPostgres.StartAsync(Cancelled) : null;
        await using var proxy = new NatsProxy(broker.Port);
        using var shared = new TempFolder("deployment");
        var options = new ServerProcessOptions
        {
            Nats = broker.Url,
            Registry = postgres is null ? null : await postgres.CreateDatabaseAsync(Cancelled),
            DataDirectory = shared.FullPath,
            Settings = settings,
        };
        await using var doomed = await ServerProcess.StartAsync(options with { Nats = proxy.Url }, Cancelled);
        await using var second = await ServerProcess.StartAsync(options, Cancelled);
        using var here = new Api(doomed.CreateClient());
        using var there = new Api(second.CreateClient());
        var run = await there.RegisterAsync();
        await there.AppendAsync(run, "s", "\"secret\"");
        using var reader = await there.OpenSseAsync(run, "s");
        await reader.UntilAsync("caught-up");

        proxy.Hold(ReadLink); // The chunks are to be removed over it: that is as far as it gets.
        var begun = await Api.ReadAsync(await here.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds=0"), NativeJson.Default.ErasureReceipt);
        Assert.Equal((ErasureState.Erasing, default(DateTimeOffset?)), (begun.State, begun.ErasedAt));
        Assert.Equal("run_not_found", (await Api.ReadProblemAsync(await there.SendAsync(HttpMethod.Get, Api.StreamPath(run, "s"), headers: ("Accept", Api.Json)))).Code);
        doomed.Kill();

        var told = begun;
        await Until.TrueAsync(
            () => "Nobody finished the erasure.",
            async () =>
            {
                told = await Api.ReadAsync(await there.SendAsync(HttpMethod.Get, $"/api/v1/erasures/{begun.Id}?waitInSeconds=30"), NativeJson.Default.ErasureReceipt);
                return told.State == ErasureState.Erased;
            },
            TimeSpan.FromMinutes(1));
        Assert.Equal((begun.Id, begun.RequestedAt, begun.RequestedBy), (told.Id, told.RequestedAt, told.RequestedBy));
        Assert.Contains("stream_gone", Assert.Single(await reader.RestAsync()).Data, StringComparison.Ordinal);
        Assert.Equal(0, await broker.CountMessagesAsync(Cancelled));
    }

    [Fact]
    public async Task What_a_killed_server_was_expiring_another_finishes_and_no_reader_gets_it()
    {
        await using var broker = await TestBroker.StartAsync(cancellationToken: Cancelled);
        await using var proxy = new NatsProxy(broker.Port);
        using var shared = new TempFolder("deployment");
        var options = new ServerProcessOptions { Nats = broker.Url, DataDirectory = shared.FullPath, Settings = settings };
        var patient = options with { Settings = new Dictionary<string, string>(settings) { ["RealtimeStreams__Sweep__ExpiryInterval"] = "01:00:00" } };
        await using var doomed = await ServerProcess.StartAsync(options with { Nats = proxy.Url }, Cancelled);
        await using var second = await ServerProcess.StartAsync(patient, Cancelled); // It reads, and leaves the sweeping to others.
        using var there = new Api(second.CreateClient());
        var run = Api.NewId();
        using (var made = await there.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{run}}","retentionInSeconds":60}""")) Assert.Equal(201, (int)made.StatusCode);
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < 3; i++) await there.AppendAsync(run, "s", $"{i}");
        using var live = await there.OpenSseAsync(run, "s");
        await live.UntilAsync("caught-up");

        // Shortly before: a connection over which nothing comes for long is given up.
        await Until.TrueAsync(() => "Time stands still.", () => Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(57), TimeSpan.FromMinutes(2));
        proxy.Hold(PublishLink); // It is told nothing of what it stores, and has to find out before it goes on to remove anything.
        await Until.TrueAsync(() => "Nothing expired.", async () => (await there.PageAsync(run, "s")).FirstIndex > 0, TimeSpan.FromMinutes(2));
        doomed.Kill();
        await using var third = await ServerProcess.StartAsync(options, Cancelled);
        using var api = new Api(third.CreateClient());

        await Until.TrueAsync(() => "Records are left.", async () => await broker.CountMessagesAsync(Cancelled) == 1, TimeSpan.FromMinutes(2));
        foreach (var server in (Api[])[api, there])
        {
            var page = await server.PageAsync(run, "s", "?startIndex=0");
            Assert.Equal((3, 3, 0), (page.FirstIndex, page.NextIndex, page.Chunks.Count));
        }
        Assert.Equal(3, (await api.AppendAsync(run, "s", "3")).FirstIndex);
        Assert.Equal("3", (await live.NextAsync())!.Data);
    }
}
