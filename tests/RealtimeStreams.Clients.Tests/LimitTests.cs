using System.Text.Json;
using RealtimeStreams.EndToEnd.Tests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.Sdk;

namespace RealtimeStreams.Clients.Tests;

/// <summary>Published clients, and ours, that send more than their environment may: they are refused, wait and go on, and every chunk is there once.</summary>
public sealed class LimitTests : IClassFixture<LimitedServer>, IAsyncLifetime
{
    private const int Count = 12;
    private const string Limits = """{"requestsPerSecond":6,"requestBurst":3}""";

    private readonly LimitedServer server;
    private readonly string environment = $"limited-{Guid.NewGuid():N}";
    private string key = "";
    private string run = "";
    private Api? api;

    public LimitTests(LimitedServer server, NodePackages node)
    {
        this.server = server;
        node.Require();
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        key = await server.MakeEnvironmentAsync(environment);
        api = new Api(server.CreateClient(key));
        run = await api.RegisterAsync();
    }

    public ValueTask DisposeAsync()
    {
        api?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("triggerAppends")]
    [InlineData("triggerPipe")]
    public async Task Triggers_client_waits_until_it_may_and_every_chunk_is_there_once(string scenario)
    {
        await server.SetAsync(environment, scenario == "triggerPipe" ? """{"requestsPerSecond":6,"requestBurst":1}""" : """{"requestsPerSecond":3,"requestBurst":1}"""); // A busy machine is no faster than six.

        var counted = await RunAsync(scenario, new { run, count = Count });

        if (scenario == "triggerAppends") Assert.True(counted.GetProperty("refused").GetInt32() > 0, "It was never refused.");
        await AssertStoredAsync("log");
    }

    [Fact]
    public async Task Triggers_reader_comes_in_once_another_has_gone_and_gets_every_chunk_once()
    {
        for (var i = 0; i < Count; i++) await api!.AppendAsync(run, "log", $$"""{"i":{{i}}}""");
        await server.SetAsync(environment, """{"readers":1}""");
        var other = await api!.SendAsync(HttpMethod.Get, Api.StreamPath(run, "log"), headers: ("Accept", "text/event-stream"));
        Assert.Equal(200, (int)other.StatusCode);

        await using var scenario = Start("triggerRead", new { run, count = Count });
        await scenario.SaidAsync("refused");
        other.Dispose();

        Assert.Equal(Enumerable.Range(0, Count), (await scenario.ResultAsync()).EnumerateArray().Select(i => i.GetInt32()));
    }

    [Theory]
    [InlineData("0.25")]
    [InlineData("0.27")]
    public async Task S2s_client_tries_again_and_every_record_is_there_once(string version)
    {
        // It ignores every header, and gives up 0.3 to 0.6 s after the first refusal.
        await server.SetAsync(environment, Limits);

        var counted = await RunAsync("s2Appends", new
        {
            version,
            basin = S2Names.BasinOf(EnvironmentId.Parse(environment)),
            name = S2Names.StreamOf(RunId.Parse(run, null), StreamKey.Parse("log", null)),
            count = Count,
        });

        Assert.True(counted.GetProperty("refused").GetInt32() > 0, "It was never refused.");
        await AssertStoredAsync("log");
    }

    [Fact]
    public async Task Our_client_waits_as_it_is_told_and_every_chunk_is_there_once()
    {
        await server.SetAsync(environment, """{"requestsPerSecond":6,"requestBurst":3,"openBodies":1}""");
        using var client = new RealtimeStreamsClient(new RealtimeStreamsClientOptions { BaseAddress = server.Process.Address, SecretKey = key });
        var since = TimeProvider.System.GetTimestamp();

        for (var i = 0; i < Count; i++) await client.Streams.AppendAsync(RealtimeStream.Define<int>("appended"), i, new AppendOptions { Target = run }, Cancelled);
        Assert.True(TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromSeconds(1), "It was never refused: twelve requests at six a second, three at once, take longer.");

        // Two pipes at a time have one place.
        var pipes = Enumerable.Range(0, 2).Select(pipe =>
            client.Streams.Pipe(
                RealtimeStream.Define<int>($"piped-{pipe}"), Enumerable.Range(0, Count).ToAsyncEnumerable(), new PipeOptions { Target = run }, Cancelled)).ToList();
        foreach (var pipe in pipes) Assert.Equal(Count, (await pipe.WaitUntilCompleteAsync(Cancelled)).Chunks);

        await server.SetAsync(environment, """{"requestsPerSecond":null,"requestBurst":null}""");
        foreach (var stream in (string[])["appended", "piped-0", "piped-1"])
            Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i}"), (await api!.PageAsync(run, stream)).Data);
    }

    private async Task AssertStoredAsync(string stream)
    {
        await server.SetAsync(environment, """{"requestsPerSecond":null,"requestBurst":null}""");
        var page = await api!.PageAsync(run, stream);
        Assert.Equal(Enumerable.Range(0, Count), page.Data.Select(data => int.Parse(string.Concat(data.Where(char.IsAsciiDigit)), null)));
    }

    private async Task<JsonElement> RunAsync(string name, object parameters)
    {
        await using var scenario = Start(name, parameters);
        return await scenario.ResultAsync();
    }

    private Scenario Start(string name, object parameters)
    {
        var address = server.Process.Address.GetLeftPart(UriPartial.Authority);
        var settings = new Dictionary<string, string>
        {
            ["TRIGGER_API_URL"] = address,
            ["TRIGGER_SECRET_KEY"] = key,
            ["S2_ACCESS_TOKEN"] = key,
            ["S2_ACCOUNT_ENDPOINT"] = address,
            ["S2_BASIN_ENDPOINT"] = address,
        };
        return Scenario.Start("limits.mjs", name, JsonSerializer.SerializeToNode(parameters)!, settings, TimeSpan.FromSeconds(90));
    }
}
