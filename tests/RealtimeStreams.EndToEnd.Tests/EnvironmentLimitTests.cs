using System.Text;
using RealtimeStreams.Protocol;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>What an operator lets the runs of one environment hold, set while they are being written, met through every dialect and on two servers.</summary>
public sealed class EnvironmentLimitTests(LimitedServer server) : IClassFixture<LimitedServer>, IAsyncLifetime
{
    private readonly string environment = $"tenant {Guid.NewGuid():N}";
    private string key = "";
    private Api? api;
    private Api? elsewhere;

    private Api Api => api!;

    private Api Elsewhere => elsewhere!;

    public async ValueTask InitializeAsync()
    {
        key = await server.MakeEnvironmentAsync(environment);
        api = new Api(server.CreateClient(key));
        elsewhere = new Api(server.CreateClient(key, await server.GetAnotherAsync()));
    }

    public ValueTask DisposeAsync()
    {
        api?.Dispose();
        elsewhere?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("""{"maxStreamBytes":60}""", "60", 413)]
    [InlineData("""{"maxChunks":3}""", "3", 422)]
    public async Task A_lowered_limit_of_a_stream_holds_at_once_here_and_within_a_second_elsewhere_and_what_is_stored_stays(string settings, string value, int status)
    {
        var run = await Api.RegisterAsync();
        var stored = Enumerable.Range(0, 4).Select(i => $"\"{new string('x', 20)}{i}\"").ToList();
        foreach (var chunk in stored) await Api.AppendAsync(run, "s", chunk);
        await Elsewhere.AppendAsync(run, "warm", "1");
        using var foreign = new Api(server.Process.CreateClient());
        var theirs = await foreign.RegisterAsync();

        await server.SetAsync(environment, settings);

        await LimitRefusals.AssertAsync(Api, run, "s", "9", value);
        await UntilElsewhereAsync(run, status);
        await LimitRefusals.AssertAsync(Elsewhere, run, "s", "9", value);
        Assert.Equal(stored, (await Api.PageAsync(run, "s")).Data);
        Assert.Equal(stored, (await Elsewhere.PageAsync(run, "s")).Data);
        foreach (var chunk in stored) await foreign.AppendAsync(theirs, "s", chunk); // Another environment has what the server gives.
        using (var closed = await Elsewhere.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close", """{"outcome":"completed"}""")) Assert.Equal(200, (int)closed.StatusCode);

        await server.SetAsync(environment, """{"maxStreamBytes":null,"maxChunks":null}""");
        foreach (var chunk in stored) await Api.AppendAsync(run, "again", chunk);
    }

    [Theory]
    [InlineData("""{"maxStreams":2}""", "at most 2 streams")]
    [InlineData("""{"maxActiveStreams":2}""", "at most 2 active streams")]
    public async Task A_lowered_number_of_streams_holds_back_new_ones_and_those_that_are_there_go_on(string settings, string value)
    {
        var run = await Api.RegisterAsync();
        foreach (var stream in (string[])["a", "b", "c"]) await Api.AppendAsync(run, stream, "1");

        await server.SetAsync(environment, settings);

        await LimitRefusals.AssertAsync(Api, run, "d", "1", value);
        await UntilElsewhereAsync(run, 422, alwaysAnew: true);
        foreach (var stream in (string[])["a", "b", "c"])
        {
            await Elsewhere.AppendAsync(run, stream, "2");
            Assert.Equal(["1", "2"], (await Api.PageAsync(run, stream)).Data);
        }
    }

    [Fact]
    public async Task An_open_body_meets_a_limit_that_is_lowered_while_it_is_open()
    {
        var run = await Api.RegisterAsync();
        await using var body = await RawRequest.PostLinesAsync(await server.GetAnotherAsync(), Api.StreamPath(run, "s"), [], key);
        await body.WriteChunkAsync("1\n2\n");
        await Until.TrueAsync(() => "The lines are not stored.", async () => (await Api.PageAsync(run, "s")).NextIndex == 2);

        await server.SetAsync(environment, """{"maxChunks":2}""");
        await UntilElsewhereAsync(run, 422);
        await body.WriteChunkAsync("3\n");

        var answer = await body.ReadUntilAsync("}");
        Assert.StartsWith("HTTP/1.1 422 ", answer, StringComparison.Ordinal);
        Assert.Contains("limit of 2 chunks", answer, StringComparison.Ordinal);
        Assert.Equal(["1", "2"], (await Api.PageAsync(run, "s")).Data);
    }

    [Fact]
    public async Task Of_the_limits_of_version_and_environment_the_lower_counts_and_none_may_be_above_the_servers()
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => server.SetAsync(environment, """{"maxStreamBytes":314572801}"""));
        Assert.Contains("maxStreamBytes must be a whole number from 1 to 314572800", refused.Message, StringComparison.Ordinal);
        await server.SetAsync(environment, """{"maxStreams":1000,"maxChunks":1000000}""");
        var run = Api.NewId();
        using (var made = await Api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{run}}","streamsVersion":"v1"}""")) Assert.Equal(201, (int)made.StatusCode);

        using (var lines = await Api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), Lines(2000), Api.Lines)) Assert.Equal(200, (int)lines.StatusCode);

        await LimitRefusals.AssertAsync(Api, run, "s", "1", "limit of 2000 chunks");
        static string Lines(int count) => new StringBuilder().Insert(0, "1\n", count).ToString();
    }

    [Fact]
    public async Task All_streams_of_a_run_share_its_bytes_over_two_servers_and_what_goes_beyond_is_refused_in_every_dialect()
    {
        var run = await Api.RegisterAsync();
        var forty = $"\"{new string('x', 38)}\"";
        await Api.AppendAsync(run, "a", forty);
        await Elsewhere.AppendAsync(run, "b", forty);

        await server.SetAsync(environment, """{"maxRunBytes":100}""");

        // Each server knows its own 40 at once, and the other's a second after it stored something itself.
        var beyond = (await StoreUntilRefusedAsync(Api, run, "a") + await StoreUntilRefusedAsync(Elsewhere, run, "b")) * 25;
        TestContext.Current.TestOutputHelper?.WriteLine($"80 bytes and a limit of 100: {beyond} more were stored before both servers knew of each other's.");
        Assert.InRange(beyond, 0, 25 * 1000); // Bounded by what two servers store within some seconds.
        foreach (var node in (Api[])[Api, Elsewhere])
        {
            foreach (var stream in (string[])["a", "b", "new"]) await LimitRefusals.AssertAsync(node, run, stream, forty, "its limit of 100 bytes");
            Assert.Equal(forty, (await node.PageAsync(run, "a")).Data.First());
            Assert.Equal(0, (await node.PageAsync(run, "new")).NextIndex);
        }
        using (var inspected = await Api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}"))
            Assert.Equal(80 + beyond, (await Api.ReadAsync(inspected, NativeJson.Default.RunInfo)).Bytes);

        var other = await Api.RegisterAsync(); // Another run has its own.
        await Api.AppendAsync(other, "a", forty);
        using (var closed = await Elsewhere.SendAsync(HttpMethod.Post, Api.StreamPath(run, "a") + "/close", """{"outcome":"completed"}""")) Assert.Equal(200, (int)closed.StatusCode);
        await Elsewhere.CompleteAsync(run);
        Assert.Equal("closed", (await Api.PageAsync(run, "b")).State);
    }

    [Fact]
    public async Task A_run_that_has_its_bytes_ends_open_bodies_and_knows_what_is_sent_again()
    {
        await server.SetAsync(environment, """{"maxRunBytes":100}""");
        var run = await Api.RegisterAsync();
        await using var body = await RawRequest.PostLinesAsync(server.Process, Api.StreamPath(run, "s"), Api.Producer("p", 0), key);
        for (var i = 0; i < 10; i++) await body.WriteChunkAsync($"\"{i}xxxxxxx\"\n");
        await Until.TrueAsync(() => "The lines are not stored.", async () => (await Api.PageAsync(run, "s")).NextIndex == 10);

        await body.WriteChunkAsync("1\n");

        var answer = await body.ReadUntilAsync("}");
        Assert.StartsWith("HTTP/1.1 422 ", answer, StringComparison.Ordinal);
        Assert.Contains("The run has stored 100 bytes; with 1 more it would exceed its limit of 100 bytes.", answer, StringComparison.Ordinal);
        var repeated = await Api.AppendAsync(run, "s", "\"9xxxxxxx\"", headers: Api.Producer("p", 9));
        Assert.Equal((0, 1), (repeated.Stored, repeated.Duplicates));
        using (var final = await Api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close", """{"outcome":"completed","finalChunk":1}"""))
            Assert.Equal("limit_reached", (await Api.ReadProblemAsync(final)).Code);
        using (var closed = await Api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s") + "/close", """{"outcome":"completed"}""")) Assert.Equal(200, (int)closed.StatusCode);
        Assert.Equal(10, (await Api.PageAsync(run, "s")).NextIndex);
    }

    [Fact]
    public async Task A_run_that_has_its_bytes_ends_a_body_of_Triggers_too_and_its_client_is_told_where_it_stopped()
    {
        await server.SetAsync(environment, """{"maxRunBytes":100}""");
        var run = await Api.RegisterAsync();
        var path = $"/realtime/v1/streams/{run}/self/s";
        (string Name, string? Value)[] client = [("X-Client-Id", "c0ffee01"), ("X-Resume-From-Chunk", "0")];
        await using var body = await RawRequest.PostLinesAsync(server.Process, path, client, key);
        for (var i = 0; i < 10; i++) await body.WriteChunkAsync($"\"{i}xxxxxxx\"\n");
        await Until.TrueAsync(() => "The lines are not stored.", async () => (await Api.PageAsync(run, "s")).NextIndex == 10);

        await body.WriteChunkAsync("1\n");

        var answer = await body.ReadUntilAsync("}");
        Assert.StartsWith("HTTP/1.1 422 ", answer, StringComparison.Ordinal);
        Assert.Contains("it would exceed its limit of 100 bytes", answer, StringComparison.Ordinal);
        using var asked = await Api.SendAsync(HttpMethod.Head, path, headers: client[..1]);
        Assert.Equal("9", asked.Headers.GetValues("X-Last-Chunk-Index").Single());
        Assert.Equal(10, (await Api.PageAsync(run, "s")).NextIndex);
    }

    /// <summary>Writes chunks of 25 bytes until the server refuses.</summary>
    /// <returns>How many it stored.</returns>
    private static async Task<int> StoreUntilRefusedAsync(Api api, string run, string stream)
    {
        var stored = 0;
        await Until.TrueAsync(
            () => "The limit of the run does not hold.",
            async () =>
            {
                using var answer = await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, stream), $"\"{new string('y', 23)}\"");
                if (answer.IsSuccessStatusCode) stored++;
                else Assert.Equal("limit_reached", (await Api.ReadProblemAsync(answer)).Code);
                return !answer.IsSuccessStatusCode;
            },
            TimeSpan.FromSeconds(20));
        return stored;
    }

    /// <summary>Writes to other streams of the run until the other server refuses.</summary>
    private async Task UntilElsewhereAsync(string run, int status, bool alwaysAnew = false)
    {
        var tries = 0;
        await Until.TrueAsync(
            () => "The other server does not know the limit.",
            async () =>
            {
                var stream = alwaysAnew ? $"try{tries++}" : "warm";
                using var answer = await Elsewhere.SendAsync(HttpMethod.Post, Api.StreamPath(run, stream), $"\"{new string('x', 60)}\"");
                return (int)answer.StatusCode == status;
            });
    }
}
