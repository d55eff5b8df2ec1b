using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Runs;

/// <summary>Tells of a run: <c>runs.retrieve</c> and <c>runs.poll</c>.</summary>
internal static class RetrieveRun
{
    public static async Task<IResult> HandleAsync(HttpContext context, StreamPath path, IRunRegistry registry, CancellationToken cancellationToken)
    {
        var (environment, id, _) = path.Address;
        if (await RunView.FindAsync(registry, environment, id, cancellationToken) is not { } view)
            return TriggerError.From(ErrorCode.RunNotFound, $"There is no run {id}.");
        StopTelling.SetHeader(context, view.Run);
        var body = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = WireJson.Contracts.Options.Encoder })) Write(json, view);
        return Answers.Json(body.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, RunView view)
    {
        var run = view.Run;
        json.WriteStartObject();
        json.WriteString("id", run.Id.Value);
        json.WriteString("status", RunStatuses.ToApi(run));
        json.WriteString("taskIdentifier", run.TaskId ?? "");
        json.WriteBoolean("isQueued", run.IsQueued);
        json.WriteBoolean("isExecuting", run is { Status: RunStatus.Open, IsQueued: false });
        json.WriteBoolean("isWaiting", false);
        json.WriteBoolean("isCompleted", run.Status != RunStatus.Open); // What runs.poll waits for, so it covers every end.
        json.WriteBoolean("isSuccess", run.Status == RunStatus.Completed);
        json.WriteBoolean("isFailed", run.Status == RunStatus.Failed);
        json.WriteBoolean("isCancelled", run.Status == RunStatus.Cancelled);
        json.WriteBoolean("isTest", false);
        json.WriteString("createdAt", run.CreatedAt);
        json.WriteString("updatedAt", view.UpdatedAt);
        if (view.StartedAt is { } started) json.WriteString("startedAt", started);
        if (run.CompletedAt is { } finished) json.WriteString("finishedAt", finished);
        json.WriteStartArray("tags");
        foreach (var tag in run.Tags) json.WriteStringValue(tag);
        json.WriteEndArray();
        json.WriteNumber("costInCents", 0);
        json.WriteNumber("baseCostInCents", 0);
        json.WriteNumber("durationMs", view.DurationMilliseconds);
        json.WriteNumber("depth", run.Parent is null ? 0 : run.Root is null || run.Root == run.Parent ? 1 : 2);
        json.WriteString("triggerFunction", "trigger");
        json.WriteNumber("attemptCount", run.Triggered ? run.Attempt : 1);
        Packet.Write(json, "payload", run.Payload, run.PayloadType);
        Packet.Write(json, "output", run.Output, run.OutputType);
        Packet.Write(json, "metadata", run.Metadata, Packet.Json);
        if (run.Error is { } error)
        {
            json.WriteStartObject("error");
            json.WriteString("message", error);
            json.WriteEndObject();
        }
        json.WriteStartObject("relatedRuns");
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
