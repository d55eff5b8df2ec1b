using System.Net;
using System.Text.Json;
using RealtimeStreams.Testing;

namespace RealtimeStreams.Dialects.Trigger.Tests;

public sealed class RunTests(SharedServer server) : IDisposable
{
    private readonly Api api = new(server.Process);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task A_run_of_the_native_API_is_told_in_the_clients_words()
    {
        var run = await api.RegisterAsync(new { taskId = "report", tags = new[] { "a", "b" } });

        var told = await RetrieveAsync(run);

        Assert.Equal((run, "EXECUTING", "report"), (told.GetProperty("id").GetString(), told.GetProperty("status").GetString(), told.GetProperty("taskIdentifier").GetString()));
        Assert.Equal(["a", "b"], told.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        foreach (var needed in (string[])["isTest", "costInCents", "baseCostInCents", "durationMs", "depth", "triggerFunction", "relatedRuns", "createdAt", "updatedAt"])
            Assert.True(told.TryGetProperty(needed, out _), needed);
        Assert.Equal("-x-----", Flags(told));
    }

    [Theory]
    [InlineData("completed", "COMPLETED", "---xx--")]
    [InlineData("failed", "FAILED", "---x-x-")]
    [InlineData("cancelled", "CANCELED", "---x--x")]
    public async Task The_end_of_a_run_is_told(string outcome, string status, string flags)
    {
        var run = await api.RegisterAsync();
        await api.CompleteAsync(run, outcome);

        var told = await RetrieveAsync(run);

        Assert.Equal(status, told.GetProperty("status").GetString());
        Assert.Equal(flags, Flags(told));
        Assert.True(told.TryGetProperty("finishedAt", out _));
    }

    [Fact]
    public async Task A_subscription_begins_with_the_whole_row()
    {
        var run = await api.RegisterAsync(new { taskId = "report", tags = new[] { "a\"b\\c", "d,e" } });
        await api.WriteAsync(run, "out", "1");
        using (var sent = await api.SendAsync(HttpMethod.Post, $"/realtime/v1/streams/{run}/input/in", """{"data":1}""")) Assert.Equal(HttpStatusCode.OK, sent.StatusCode);

        var shape = await FetchAsync(run, "offset=-1&log=full");

        Assert.Equal(2, shape.Messages.Count);
        Assert.Equal("insert", shape.Messages[0].GetProperty("headers").GetProperty("operation").GetString());
        Assert.Equal("up-to-date", shape.Messages[1].GetProperty("headers").GetProperty("control").GetString());
        var row = shape.Messages[0].GetProperty("value");
        Assert.Equal((run, "EXECUTING", "report"), (row.GetProperty("friendlyId").GetString(), row.GetProperty("status").GetString(), row.GetProperty("taskIdentifier").GetString()));
        Assert.Equal("""{"a\"b\\c","d,e"}""", row.GetProperty("runTags").GetString());
        Assert.Equal("""{"out"}""", row.GetProperty("realtimeStreams").GetString());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$", row.GetProperty("createdAt").GetString());
        Assert.Equal(JsonValueKind.Null, row.GetProperty("completedAt").ValueKind);
        Assert.Matches(@"^\d+_\d+$", shape.Offset);
        using var schema = JsonDocument.Parse(shape.Schema!);
        Assert.All(row.EnumerateObject(), column => Assert.True(schema.RootElement.TryGetProperty(column.Name, out _), column.Name));
        Assert.Equal(1, schema.RootElement.GetProperty("runTags").GetProperty("dims").GetInt32());
    }

    [Fact]
    public async Task Columns_that_are_not_wanted_are_left_out_but_for_those_that_the_client_needs()
    {
        var run = await api.RegisterAsync();

        var shape = await FetchAsync(run, "offset=-1&skipColumns=payload,output,status,metadata");

        var row = shape.Messages[0].GetProperty("value");
        Assert.False(row.TryGetProperty("payload", out _));
        Assert.False(row.TryGetProperty("output", out _));
        Assert.True(row.TryGetProperty("status", out _));
        Assert.DoesNotContain("payload\"", shape.Schema, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Columns_that_a_token_keeps_back_are_left_out_whatever_is_asked_for()
    {
        var run = await api.RegisterAsync(new { tags = new[] { "secret" } });
        var token = PublicToken.Bearer(
            server.Process.SecretKey, [$"read:runs:{run}"], claims => claims["realtime"] = new System.Text.Json.Nodes.JsonObject { ["skipColumns"] = new System.Text.Json.Nodes.JsonArray("runTags", "id") });

        using var answer = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/runs/{run}?offset=-1&skipColumns=output", null, "Authorization", token);

        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"output\"", text, StringComparison.Ordinal);
        Assert.Contains("\"friendlyId\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_live_request_is_held_until_the_run_changes()
    {
        var run = await api.RegisterAsync();
        var first = await FetchAsync(run, "offset=-1");
        var again = await FetchAsync(run, $"handle={first.Handle}&offset={first.Offset}");
        Assert.Single(again.Messages);
        Assert.Equal((first.Handle, first.Offset), (again.Handle, again.Offset));

        var held = FetchAsync(run, $"live=true&handle={first.Handle}&offset={first.Offset}");
        await api.WriteAsync(run, "out", "1");
        var second = await held;
        Assert.Equal("""{"out"}""", second.Messages[0].GetProperty("value").GetProperty("realtimeStreams").GetString());
        Assert.Equal("update", second.Messages[0].GetProperty("headers").GetProperty("operation").GetString());
        Assert.NotNull(second.Cursor);

        held = FetchAsync(run, $"live=true&cursor={second.Cursor}&handle={second.Handle}&offset={second.Offset}");
        await api.CompleteAsync(run, "failed");
        var row = (await held).Messages[0].GetProperty("value");
        Assert.Equal("COMPLETED_WITH_ERRORS", row.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.String, row.GetProperty("completedAt").ValueKind);
    }

    [Fact]
    public async Task A_subscription_and_a_run_that_is_asked_for_tell_that_it_was_asked_to_stop()
    {
        var run = await api.RegisterAsync();
        var first = await FetchAsync(run, "offset=-1");
        Assert.Null(first.StopRequested);

        var held = FetchAsync(run, $"live=true&handle={first.Handle}&offset={first.Offset}");
        await api.StopAsync(run, "enough");

        var second = await held;
        Assert.NotNull(second.StopRequested);
        Assert.Equal("EXECUTING", second.Messages[0].GetProperty("value").GetProperty("status").GetString());
        using var answer = await api.SendAsync(HttpMethod.Get, $"/api/v3/runs/{run}");
        Assert.Equal(second.StopRequested, answer.Headers.GetValues("RealtimeStreams-Stop-Requested").Single());
    }

    [Fact]
    public async Task A_client_that_missed_a_change_gets_it_at_once()
    {
        var run = await api.RegisterAsync();
        var first = await FetchAsync(run, "offset=-1");
        await api.CompleteAsync(run);

        var next = await FetchAsync(run, $"live=true&handle={first.Handle}&offset={first.Offset}");

        Assert.Equal("COMPLETED_SUCCESSFULLY", next.Messages[0].GetProperty("value").GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_subscription_of_another_run_of_the_same_id_starts_over()
    {
        var run = await api.RegisterAsync();
        var first = await FetchAsync(run, "offset=-1");

        using var answer = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/runs/{run}?handle=1-1&offset={first.Offset}");

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal(first.Handle, answer.Headers.GetValues("electric-handle").Single());
        Assert.Contains("must-refetch", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/realtime/v1/runs/")]
    [InlineData("/api/v3/runs/")]
    public async Task A_run_that_is_not_there_or_not_allowed_is_refused(string path)
    {
        var run = await api.RegisterAsync();
        await api.RefusedAsync(HttpStatusCode.NotFound, HttpMethod.Get, path + Api.NewRun());
        await api.RefusedAsync(HttpStatusCode.Unauthorized, HttpMethod.Get, path + run, null, "Authorization", "Bearer nonsense");
        await api.RefusedAsync(HttpStatusCode.Forbidden, HttpMethod.Get, path + run, null, "Authorization", PublicToken.Bearer(server.Process.SecretKey, ["read:runs:run_other"]));

        using var answer = await api.SendAsync(HttpMethod.Get, path + run, null, "Authorization", PublicToken.Bearer(server.Process.SecretKey, [$"read:runs:{run}"]), "Origin", "https://app.example");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    private static string Flags(JsonElement run) =>
        string.Concat(new[] { "isQueued", "isExecuting", "isWaiting", "isCompleted", "isSuccess", "isFailed", "isCancelled" }.Select(flag => run.GetProperty(flag).GetBoolean() ? 'x' : '-'));

    private async Task<JsonElement> RetrieveAsync(string run)
    {
        using var answer = await api.SendAsync(HttpMethod.Get, $"/api/v3/runs/{run}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        return body.RootElement.Clone();
    }

    private async Task<Shape> FetchAsync(string run, string query)
    {
        using var answer = await api.SendAsync(HttpMethod.Get, $"/realtime/v1/runs/{run}?{query}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        return new Shape(
            [.. body.RootElement.EnumerateArray().Select(message => message.Clone())],
            answer.Headers.GetValues("electric-handle").Single(),
            answer.Headers.GetValues("electric-offset").Single(),
            answer.Headers.TryGetValues("electric-schema", out var schema) ? schema.Single() : null,
            answer.Headers.TryGetValues("electric-cursor", out var cursor) ? cursor.Single() : null,
            answer.Headers.TryGetValues("RealtimeStreams-Stop-Requested", out var stop) ? stop.Single() : null);
    }

    private sealed record Shape(IReadOnlyList<JsonElement> Messages, string Handle, string Offset, string? Schema, string? Cursor, string? StopRequested);
}
