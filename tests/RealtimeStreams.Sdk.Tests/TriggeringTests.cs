using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

public sealed class TriggeringTests
{
    private readonly List<RegisterRun> registrations = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trigger_registers_a_run_with_its_payload_below_the_run_that_is_going_on()
    {
        await using var server = await StartAsync();
        using var client = server.NewClient(options => options.SerializerOptions = new(TestJson.Default.Options));
        var tags = new[] { "a" };

        await client.Runs.TriggerAsync("count", new Progress("one", 1), cancellationToken: Cancelled);
        await using (client.Runs.Enter(ScriptedQueue.NewRun("outer", "o", null)))
            await client.Runs.TriggerAsync<string?>("count", null, new TriggerOptions { RunId = "run_b", Tags = tags }, Cancelled);
        await client.Runs.TriggerAsync("count", 1, new TriggerOptions { IdempotencyKey = "once" }, Cancelled);

        Assert.All(registrations, registration => Assert.Equal(("count", true), (registration.TaskId, registration.Triggered)));
        Assert.Equal("""{"step":"one","percent":1}""", registrations[0].Payload?.GetRawText());
        Assert.StartsWith("run_", registrations[0].Id, StringComparison.Ordinal);
        Assert.Equal(("run_b", "outer", null), (registrations[1].Id, registrations[1].ParentRunId, registrations[1].Payload));
        Assert.Equal(tags, registrations[1].Tags);
        Assert.Equal((null, "once"), (registrations[2].Id, registrations[2].IdempotencyKey)); // An id of its own would not be the first one's.
    }

    [Fact]
    public async Task A_claim_waits_longer_than_other_requests_may_take_and_may_come_back_with_nothing()
    {
        await using var server = await ScriptedServer.StartAsync();
        var bodies = new List<string>();
        server.Others = async (context, body) =>
        {
            bodies.Add(body);
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, context.RequestAborted);
            context.Response.StatusCode = 204;
        };
        using var client = server.NewClient(options => options.RequestTimeout = TimeSpan.FromMilliseconds(100));

        var claimed = await client.Runs.ClaimAsync(["t", "u"], new ClaimOptions { Worker = "w", Lease = TimeSpan.FromSeconds(1.5), Wait = TimeSpan.FromSeconds(30) }, Cancelled);

        Assert.Null(claimed);
        Assert.Equal(["""{"tasks":["t","u"],"worker":"w","leaseInSeconds":2,"waitInSeconds":30}"""], bodies);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Runs.ClaimAsync(["t"], new ClaimOptions { Lease = TimeSpan.Zero }, Cancelled));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.Runs.ClaimAsync(["t"], new ClaimOptions { Wait = TimeSpan.FromSeconds(31) }, Cancelled));
    }

    [Fact]
    public async Task A_claim_is_renewed_given_back_and_completed_in_its_own_name()
    {
        await using var server = await ScriptedServer.StartAsync();
        var queue = new ScriptedQueue();
        server.Others = queue.AnswerAsync;
        using var client = server.NewClient();
        queue.Add(ScriptedQueue.NewRun("run_a", "t", "1", attempt: 4));

        var claimed = (await client.Runs.ClaimAsync(["t"], cancellationToken: Cancelled))!;
        await client.Runs.RenewAsync(claimed, TimeSpan.FromMinutes(1), Cancelled);
        await client.Runs.ReleaseAsync(claimed, Cancelled);
        await client.Runs.CompleteAsync(
            claimed.Id,
            new CompleteRun(Outcome.Failed, new string('x', 9000), JsonElement.Parse("[1]"), claimed.Worker, claimed.Attempt),
            Cancelled);

        Assert.Equal(1, claimed.Payload?.GetInt32());
        Assert.Equal(
            [("run_a", new RenewClaim(claimed.Worker, 4, 60)), ("run_a", new RenewClaim(claimed.Worker, 4, 0))],
            queue.Renewals);
        var completion = queue.CompletionOf("run_a");
        Assert.Equal(("failed", 8192, "[1]", 4), (
            (string?)completion["outcome"], ((string)completion["error"]!).Length, completion["output"]!.ToJsonString(), (int)completion["attempt"]!));
    }

    private async Task<ScriptedServer> StartAsync()
    {
        var server = await ScriptedServer.StartAsync();
        server.Others = (context, body) =>
        {
            var registration = JsonSerializer.Deserialize(body, NativeJson.Default.RegisterRun)!;
            registrations.Add(registration);
            return context.Response.WriteAsync(
                JsonSerializer.Serialize(ScriptedQueue.NewRun(registration.Id ?? "made", registration.TaskId!, null), NativeJson.Default.RunInfo), Cancelled);
        };
        return server;
    }
}
