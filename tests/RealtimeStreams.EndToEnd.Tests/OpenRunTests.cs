using System.Text.Json;
using RealtimeStreams.Testing;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>How many runs an operator lets an environment have open: met by every dialect that makes one, and on two servers.</summary>
public sealed class OpenRunTests(LimitedServer server) : IClassFixture<LimitedServer>, IAsyncLifetime
{
    private readonly string environment = $"tenant {Guid.NewGuid():N}";
    private Api? api;
    private Api? elsewhere;

    private Api Api => api!;

    private Api Elsewhere => elsewhere!;

    private string Detail(int limit) => $"The limit maxOpenRuns of the environment {environment} is {limit}, and it is reached: ";

    public async ValueTask InitializeAsync()
    {
        var key = await server.MakeEnvironmentAsync(environment);
        api = new Api(server.CreateClient(key));
        elsewhere = new Api(server.CreateClient(key, await server.GetAnotherAsync()));
    }

    public ValueTask DisposeAsync()
    {
        api?.Dispose();
        elsewhere?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_goes_beyond_is_refused_in_every_dialects_own_shape_what_is_there_is_found_and_what_ends_makes_room()
    {
        await server.SetAsync(environment, """{"maxOpenRuns":3}""");
        var run = await Api.RegisterAsync();
        await AssertAsync(200, """{"id":""", HttpMethod.Post, "/api/v1/tasks/task/trigger", """{"payload":"\"1\"","options":{"idempotencyKey":"key"}}""");
        await AssertAsync(201, "name", HttpMethod.Post, "/v1/streams", """{"stream":"name"}""", ("s2-request-token", "token"));

        await AssertRefusedAsync(Api, 3);

        await AssertAsync(200, run, HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{run}}"}""");
        await AssertAsync(200, """isCached":true""", HttpMethod.Post, "/api/v1/tasks/task/trigger", """{"payload":"\"1\"","options":{"idempotencyKey":"key"}}""");
        await AssertAsync(201, "name", HttpMethod.Post, "/v1/streams", """{"stream":"name"}""", ("s2-request-token", "token"));
        await AssertAsync(409, "resource_already_exists", HttpMethod.Post, "/v1/streams", """{"stream":"name"}""");
        await AssertAsync(200, "name", HttpMethod.Put, "/v1/streams/name");
        await AssertAsync(200, "seq_num", HttpMethod.Post, "/v1/streams/name/records", """{"records":[{"body":"1"}]}""");
        await Api.AppendAsync(run, "s", "1");

        await Api.CompleteAsync(run);
        await UntilAsync(201, HttpMethod.Post, "/v1/streams", """{"stream":"second"}""");
        await AssertRefusedAsync(Api, 3);
        await AssertAsync(202, "", HttpMethod.Delete, "/v1/streams/second");
        await UntilAsync(200, HttpMethod.Post, "/api/v1/tasks/task/trigger", "{}");
        await AssertRefusedAsync(Api, 3);
    }

    [Fact]
    public async Task A_token_that_may_trigger_meets_it_too_and_another_environment_goes_on()
    {
        await server.SetAsync(environment, """{"maxOpenRuns":1}""");
        await Api.RegisterAsync();
        string token;
        using (var issued = await Api.SendAsync(HttpMethod.Post, "/api/v1/tokens", """{"scopes":["trigger:tasks:task"]}"""))
        using (var body = JsonDocument.Parse(await issued.Content.ReadAsStringAsync(Api.Cancellation)))
            token = body.RootElement.GetProperty("token").GetString()!;
        using (var page = new Api(server.CreateClient(token)))
        using (var answer = await page.SendAsync(HttpMethod.Post, "/api/v1/tasks/task/trigger", "{}"))
        {
            Assert.Equal(422, (int)answer.StatusCode);
            Assert.False(answer.Headers.Contains("x-trigger-jwt"));
        }
        using var foreign = new Api(server.Process.CreateClient());
        await foreign.RegisterAsync();
        await foreign.RegisterAsync();
    }

    [Fact]
    public async Task Two_servers_exceed_it_for_a_second_at_most()
    {
        await Api.RegisterAsync();
        await Elsewhere.RegisterAsync();
        await server.SetAsync(environment, """{"maxOpenRuns":10}""");

        var made = await MakeUntilRefusedAsync(Api) + await MakeUntilRefusedAsync(Elsewhere);

        TestContext.Current.TestOutputHelper?.WriteLine($"{made + 2} were made.");
        Assert.InRange(made, 8, 2000); // Bounded by what one server makes until it knows of the limit, and of the other's.
        await AssertRefusedAsync(Api, 10);
        await AssertRefusedAsync(Elsewhere, 10);
    }

    private async Task AssertRefusedAsync(Api node, int limit)
    {
        var before = await CountAsync();
        using (var native = await node.SendAsync(HttpMethod.Post, "/api/v1/runs", "{}"))
        {
            var problem = await Api.ReadProblemAsync(native);
            Assert.Equal((422, "limit_reached", false), (problem.Status, problem.Code, problem.Retryable));
            Assert.StartsWith(Detail(limit), problem.Detail, StringComparison.Ordinal);
        }
        await AssertSaysAsync(node, 422, "error", limit, "limit_reached", "/api/v1/tasks/task/trigger", """{"payload":"\"2\""}""");
        await AssertSaysAsync(node, 403, "message", limit, "quota_exhausted", "/v1/streams", """{"stream":"beyond"}""");
        await AssertSaysAsync(node, 403, "message", limit, "quota_exhausted", "/v1/streams/beyond", null);
        await AssertSaysAsync(node, 403, "message", limit, "quota_exhausted", "/v1/streams/beyond/records", """{"records":[{"body":"1"}]}""");
        Assert.Equal(before, await CountAsync());
    }

    private async Task AssertSaysAsync(Api node, int status, string field, int limit, string code, string path, string? body)
    {
        using var answer = await node.SendAsync(body is null ? HttpMethod.Put : HttpMethod.Post, path, body);
        var text = await answer.Content.ReadAsStringAsync(Api.Cancellation);
        Assert.True((int)answer.StatusCode == status, $"{path}: {(int)answer.StatusCode} {text}");
        using var json = JsonDocument.Parse(text);
        Assert.Equal(code, json.RootElement.GetProperty("code").GetString());
        Assert.StartsWith(Detail(limit), json.RootElement.GetProperty(field).GetString(), StringComparison.Ordinal);
    }

    /// <summary>What the lists show: runs, and streams outside of runs.</summary>
    private async Task<(int Runs, int Streams)> CountAsync()
    {
        using var runs = await Api.SendAsync(HttpMethod.Get, "/api/v1/runs?limit=200");
        using var streams = await Api.SendAsync(HttpMethod.Get, "/v1/streams");
        using var ofRuns = JsonDocument.Parse(await runs.Content.ReadAsStringAsync(Api.Cancellation));
        using var ofStreams = JsonDocument.Parse(await streams.Content.ReadAsStringAsync(Api.Cancellation));
        return (ofRuns.RootElement.GetProperty("runs").GetArrayLength(), ofStreams.RootElement.GetProperty("streams").GetArrayLength());
    }

    private async Task AssertAsync(int status, string part, HttpMethod method, string path, string? body = null, params (string Name, string? Value)[] headers)
    {
        using var answer = await Api.SendAsync(method, path, body, Api.Json, headers);
        var text = await answer.Content.ReadAsStringAsync(Api.Cancellation);
        Assert.True((int)answer.StatusCode == status, $"{path}: {(int)answer.StatusCode} {text}");
        Assert.Contains(part, text, StringComparison.Ordinal);
    }

    /// <summary>Room is found by the next count: at once on the server where the run ended, unless it has just counted.</summary>
    private Task UntilAsync(int status, HttpMethod method, string path, string body) => Until.TrueAsync(
        () => "There is no room, though a run has ended.",
        async () =>
        {
            using var answer = await Api.SendAsync(method, path, body);
            return (int)answer.StatusCode == status;
        },
        TimeSpan.FromSeconds(30));

    /// <returns>How many runs were made until the server refused.</returns>
    private static async Task<int> MakeUntilRefusedAsync(Api node)
    {
        var made = 0;
        await Until.TrueAsync(
            () => "The limit does not hold.",
            async () =>
            {
                using var answer = await node.SendAsync(HttpMethod.Post, "/api/v1/runs", "{}");
                if (answer.IsSuccessStatusCode) made++;
                else Assert.Equal("limit_reached", (await Api.ReadProblemAsync(answer)).Code);
                return !answer.IsSuccessStatusCode;
            },
            TimeSpan.FromSeconds(30));
        return made;
    }
}
