using System.Text.Json;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.EndToEnd.Tests;

/// <summary>The rows of the native API that are about runs.</summary>
public sealed class NativeRunTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process.CreateClient());

    [Fact]
    public async Task A_run_is_registered_once_and_found_again()
    {
        var id = Api.NewId("run/ü *.");
        var body = JsonSerializer.Serialize(
            new RegisterRun(id, TaskId: "import", Tags: ["a", "b"], StreamsVersion: StreamsVersion.V1), NativeJson.Default.RegisterRun);

        using var first = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", body);
        using var second = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", body);
        var other = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", body.Replace("import", "export", StringComparison.Ordinal));

        Assert.Equal((201, 200, 409), ((int)first.StatusCode, (int)second.StatusCode, (int)other.StatusCode));
        Assert.Equal("run_conflict", (await Api.ReadProblemAsync(other)).Code);
        var run = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, first.Headers.Location!.OriginalString), NativeJson.Default.RunInfo);
        Assert.Equal((id, "import", RunStatus.Open, StreamsVersion.V1), (run.Id, run.TaskId, run.Status, run.StreamsVersion));
        Assert.Equal(["a", "b"], run.Tags);
        Assert.Empty(run.Streams!);
    }

    [Theory]
    [InlineData("{}", 28 * 86400)]
    [InlineData("""{"streamsVersion":"v1"}""", 86400)]
    [InlineData("""{"retentionInSeconds":60}""", 60)]
    [InlineData("""{"streamsVersion":"v1","retentionInSeconds":172800}""", 172800)]
    public async Task A_run_tells_how_long_its_chunks_are_kept(string body, long seconds)
    {
        var made = await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, "/api/v1/runs", body), NativeJson.Default.RunInfo);
        var told = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{made.Id}"), NativeJson.Default.RunInfo);

        Assert.Equal((seconds, seconds), (made.RetentionInSeconds, told.RetentionInSeconds));
    }

    [Theory]
    [InlineData("59", "at least 60")]
    [InlineData("2419201", "at most 2419200")]
    [InlineData("-1", "at least 60")]
    [InlineData("60.5", "retentionInSeconds")]
    [InlineData("\"soon\"", "retentionInSeconds")]
    [InlineData("99999999999", "retentionInSeconds")]
    public async Task A_retention_that_cannot_be_is_refused_with_its_bounds_and_no_run_is_made(string seconds, string hint)
    {
        var id = Api.NewId();
        var refused = await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $$"""{"id":"{{id}}","retentionInSeconds":{{seconds}}}""");

        Assert.Equal(400, (int)refused.StatusCode);
        Assert.Contains(hint, (await Api.ReadProblemAsync(refused)).Detail, StringComparison.Ordinal);
        Assert.Equal(404, (int)(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{id}")).StatusCode);
    }

    [Theory]
    [InlineData("v1", null, StreamsVersion.V1)]
    [InlineData("v2", null, StreamsVersion.V2)]
    [InlineData(null, null, StreamsVersion.V2)]
    [InlineData("v1", "v2", StreamsVersion.V2)]
    public async Task The_streams_version_comes_from_the_body_or_else_from_the_header(string? header, string? body, StreamsVersion version)
    {
        var run = await Api.ReadAsync(
            await api.SendAsync(
                HttpMethod.Post, "/api/v1/runs", body is null ? "{}" : $"{{\"streamsVersion\":\"{body}\"}}", headers: (NativeHeaders.StreamsVersion, header)),
            NativeJson.Default.RunInfo);

        Assert.Equal(version, run.StreamsVersion);
        Assert.NotEmpty(run.Id);
    }

    [Fact]
    public async Task Runs_are_listed_newest_first_by_page_and_filter()
    {
        var tag = Api.NewId("tag");
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            var run = await Api.ReadAsync(
                await api.SendAsync(HttpMethod.Post, "/api/v1/runs", $"{{\"tags\":[\"{tag}\"],\"taskId\":\"task{i % 2}\"}}"), NativeJson.Default.RunInfo);
            ids.Insert(0, run.Id);
        }
        await api.CompleteAsync(ids[0], "failed");

        var first = await ListAsync($"?tag={tag}&limit=3");
        var second = await ListAsync($"?tag={tag}&limit=3&cursor={Uri.EscapeDataString(first.NextCursor!)}");
        var failed = await ListAsync($"?tag={tag}&status=failed");
        var ofTask = await ListAsync($"?tag={tag}&taskId=task1");

        Assert.Equal(ids, [.. first.Runs.Select(run => run.Id), .. second.Runs.Select(run => run.Id)]);
        Assert.Null(second.NextCursor);
        Assert.Equal([ids[0]], failed.Runs.Select(run => run.Id));
        Assert.Equal(2, ofTask.Runs.Count);
    }

    [Fact]
    public async Task Completing_a_run_ends_its_open_streams_and_its_readers_and_refuses_what_follows()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "open", "1");
        await api.AppendAsync(run, "closed", "1");
        await Api.ReadAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "closed") + "/close", "{\"outcome\":\"cancelled\"}"), NativeJson.Default.CloseReceipt);
        using var reader = await api.OpenSseAsync(run, "open");
        await reader.UntilAsync(NativeEvents.CaughtUp);

        var done = await Api.ReadAsync(
            await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", "{\"outcome\":\"failed\",\"error\":\"no luck\"}"), NativeJson.Default.RunInfo);
        var again = await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete", "{\"outcome\":\"failed\"}");
        var otherwise = await api.SendAsync(HttpMethod.Post, $"/api/v1/runs/{run}/complete");
        var late = await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "open"), "2");
        var lateAndNew = await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "new"), "2");

        Assert.Equal((RunStatus.Failed, "no luck"), (done.Status, done.Error));
        Assert.Equal(200, (int)again.StatusCode);
        Assert.Equal("run_completed", (await Api.ReadProblemAsync(otherwise)).Code);
        Assert.Equal(new SseEvent(null, NativeEvents.End, "{\"outcome\":\"failed\",\"nextIndex\":1}"), Assert.Single(await reader.RestAsync()));
        Assert.Equal("run_completed", (await Api.ReadProblemAsync(late)).Code);
        Assert.Equal("run_completed", (await Api.ReadProblemAsync(lateAndNew)).Code);
        var streams = await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/runs/{run}/streams"), NativeJson.Default.StreamList);
        Assert.Equal(
            [("closed", "closed", Outcome.Cancelled), ("open", "closed", Outcome.Failed)],
            streams.Streams.Select(stream => (stream.Key, stream.State, stream.Outcome!.Value)));
    }

    [Fact]
    public async Task An_erased_run_is_gone_with_its_streams()
    {
        var run = await api.RegisterAsync();
        await api.AppendAsync(run, "s", "1");
        using var reader = await api.OpenSseAsync(run, "s");
        await reader.UntilAsync(NativeEvents.CaughtUp);

        var erased = await api.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds=30");

        Assert.Equal(200, (int)erased.StatusCode);
        var receipt = await Api.ReadAsync(erased, NativeJson.Default.ErasureReceipt);
        Assert.Equal((run, ErasureState.Erased), (receipt.Run, receipt.State));
        Assert.StartsWith("key ", receipt.RequestedBy, StringComparison.Ordinal);
        Assert.InRange(receipt.ErasedAt!.Value, receipt.RequestedAt, TimeProvider.System.GetUtcNow().AddSeconds(1));
        Assert.Equal(receipt, await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/erasures/{receipt.Id}?waitInSeconds=30"), NativeJson.Default.ErasureReceipt));
        Assert.Equal("erasure_not_found", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Get, $"/api/v1/erasures/{run}"))).Code);
        Assert.Equal("waitInSeconds", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Delete, $"/api/v1/runs/{run}?waitInSeconds=31"))).Field);
        Assert.Contains("stream_gone", Assert.Single(await reader.RestAsync()).Data, StringComparison.Ordinal);
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, $"/api/v1/runs/{run}"), (HttpMethod.Get, $"/api/v1/runs/{run}/streams"), (HttpMethod.Get, Api.StreamPath(run, "s")),
            (HttpMethod.Delete, $"/api/v1/runs/{run}"),
        })
        {
            Assert.Equal("run_not_found", (await Api.ReadProblemAsync(await api.SendAsync(method, path))).Code);
        }
        Assert.Equal("run_not_found", (await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath(run, "s"), "1"))).Code);
    }

    [Fact]
    public async Task A_path_may_say_self_parent_or_root_beside_the_writers_own_run()
    {
        var root = await api.RegisterAsync();
        var parent = await api.RegisterAsync(root);
        var child = await api.RegisterAsync(parent);

        await api.AppendAsync("self", "s", "\"self\"", Api.Json, (NativeHeaders.Run, child));
        await api.AppendAsync("parent", "s", "\"parent\"", Api.Json, (NativeHeaders.Run, child));
        await api.AppendAsync("root", "s", "\"root\"", Api.Json, (NativeHeaders.Run, child));
        await api.AppendAsync("root", "s", "\"own\"", Api.Json, (NativeHeaders.Run, root));

        Assert.Equal(["\"self\""], (await api.PageAsync(child, "s")).Data);
        Assert.Equal(["\"parent\""], (await api.PageAsync(parent, "s")).Data);
        Assert.Equal(["\"root\"", "\"own\""], (await api.PageAsync(root, "s")).Data);
        using var tail = await api.HeadAsync("parent", "s", (NativeHeaders.Run, child));
        Assert.Equal("1", Api.Header(tail, NativeHeaders.NextIndex));
        var alone = await Api.ReadProblemAsync(await api.SendAsync(HttpMethod.Post, Api.StreamPath("parent", "s"), "1"));
        Assert.Equal(("invalid_request", NativeHeaders.Run), (alone.Code, alone.Field));
        var unknown = await api.SendAsync(HttpMethod.Post, Api.StreamPath("root", "s"), "1", Api.Json, (NativeHeaders.Run, "nobody"));
        Assert.Equal("run_not_found", (await Api.ReadProblemAsync(unknown)).Code);
    }

    [Fact]
    public async Task The_server_tells_its_health_and_describes_its_api_without_credentials()
    {
        using var anonymous = new HttpClient { BaseAddress = server.Process.Address };

        using var health = JsonDocument.Parse(await anonymous.GetStringAsync("/health", Api.Cancellation));
        using var alive = await anonymous.GetAsync("/alive", Api.Cancellation);
        using var description = JsonDocument.Parse(await anonymous.GetStringAsync("/openapi/v1.json", Api.Cancellation));

        var components = health.RootElement.GetProperty("components");
        Assert.All(["broker", "log", "registry"], name => Assert.Equal("Healthy", components.GetProperty(name).GetProperty("status").GetString()));
        Assert.True(components.GetProperty("log").GetProperty("data").TryGetProperty("durability", out _));
        Assert.Equal(200, (int)alive.StatusCode);
        var operations = description.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject()).Where(member => member.Value.ValueKind == JsonValueKind.Object)
            .Select(operation => operation.Value.GetProperty("operationId").GetString());
        Assert.Equal(
            [
                "appendChunks", "claimRun", "closeStream", "completeRun", "eraseRun", "inspectRun", "issueToken", "listRuns", "listStreams", "readChunks",
                "readInput", "registerRun", "renewClaim", "revokeAllTokens", "revokeToken", "seeStop", "sendInput", "stopRun", "tellErasure", "tellInput", "tellStop", "tellTail",
            ],
            operations.Order(StringComparer.Ordinal));
        var append = description.RootElement.GetProperty("paths").GetProperty("/api/v1/runs/{runId}/streams/{key}").GetProperty("post");
        Assert.Superset(
            new HashSet<string?> { "runId", "key", "batch", NativeHeaders.ProducerId, NativeHeaders.ProducerSequence, NativeHeaders.IdempotencyKey },
            append.GetProperty("parameters").EnumerateArray().Select(parameter => parameter.GetProperty("name").GetString()).ToHashSet());
        Assert.Contains(append.GetProperty("requestBody").GetProperty("content").EnumerateObject(), content => content.Name == Api.Lines);
        Assert.Contains(append.GetProperty("responses").EnumerateObject(), response => response.Name == "413");
    }

    [Theory]
    [InlineData(SharedServer.AllowedOrigin, SharedServer.AllowedOrigin)]
    [InlineData("https://other.example", "https://other.example")]
    [InlineData("https://evil.example", null)]
    [InlineData("http://localhost:3000", null)]
    public async Task A_web_page_may_call_when_its_origin_is_allowed_and_sees_errors_too(string origin, string? allowed)
    {
        using var preflight = await api.SendAsync(
            HttpMethod.Options,
            Api.StreamPath("r"),
            headers: [("Origin", origin), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "authorization,last-event-id")]);
        using var refused = await api.SendAsync(HttpMethod.Get, "/api/v1/runs", headers: [("Origin", origin), ("Authorization", "Bearer wrong-key-0123456789")]);

        Assert.Equal(204, (int)preflight.StatusCode);
        Assert.Equal(allowed, Api.Header(preflight, "Access-Control-Allow-Origin"));
        Assert.Equal(401, (int)refused.StatusCode);
        Assert.Equal(allowed, Api.Header(refused, "Access-Control-Allow-Origin"));
        if (allowed is not null) Assert.Contains(NativeHeaders.NextIndex, Api.Header(refused, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
    }

    public void Dispose() => api.Dispose();

    private async Task<RunPage> ListAsync(string query) =>
        await Api.ReadAsync(await api.SendAsync(HttpMethod.Get, "/api/v1/runs" + query), NativeJson.Default.RunPage);
}
