using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk.Tests;

/// <summary>What a server tells workers: hands out the runs of a test, one a claim, and keeps what it is told of them.</summary>
internal sealed class ScriptedQueue
{
    private readonly ConcurrentQueue<RunInfo> waiting = new();
    private readonly SemaphoreSlim arrived = new(0);

    /// <summary>Refuses the next claims so, in turn.</summary>
    public ConcurrentQueue<ErrorCode> ClaimFaults { get; } = new();

    /// <summary>Refuses renewals so, from when it is set.</summary>
    public ErrorCode? RenewFault { get; set; }

    public ConcurrentQueue<ClaimRun> Claims { get; } = new();

    /// <summary>Run id and body.</summary>
    public ConcurrentQueue<(string Run, RenewClaim Body)> Renewals { get; } = new();

    /// <summary>Run id and body, as text.</summary>
    public ConcurrentQueue<(string Run, string Body)> Completions { get; } = new();

    /// <summary>Refuses the next completions so, in turn.</summary>
    public ConcurrentQueue<ErrorCode> CompletionFaults { get; } = new();

    public static RunInfo NewRun(string id, string task, string? payload, int attempt = 1, string? payloadType = null) =>
        new(id, task, null, null, [], RunStatus.Open, StreamsVersion.V2, null, DateTimeOffset.UnixEpoch, null)
        {
            Attempt = attempt,
            Payload = payload is null ? null : JsonElement.Parse(payload),
            PayloadType = payloadType,
        };

    public void Add(RunInfo run)
    {
        waiting.Enqueue(run);
        arrived.Release();
    }

    public async Task AnswerAsync(HttpContext context, string body)
    {
        var path = context.Request.Path.Value!;
        if (path.EndsWith("/claim", StringComparison.Ordinal)) await ClaimAsync(context, JsonSerializer.Deserialize(body, NativeJson.Default.ClaimRun)!);
        else if (path.EndsWith("/renew", StringComparison.Ordinal)) await RenewAsync(context, RunOf(path), JsonSerializer.Deserialize(body, NativeJson.Default.RenewClaim)!);
        else if (path.EndsWith("/complete", StringComparison.Ordinal)) await CompleteAsync(context, RunOf(path), body);
        else await ScriptedServer.RefuseAsync(context, ErrorCode.NotFound);
    }

    /// <summary>The fields of the completion of a run.</summary>
    public JsonNode CompletionOf(string run) => JsonNode.Parse(Completions.Single(completion => completion.Run == run).Body)!;

    private static string RunOf(string path) => path.Split('/')[^2];

    private async Task ClaimAsync(HttpContext context, ClaimRun body)
    {
        Claims.Enqueue(body);
        if (ClaimFaults.TryDequeue(out var fault))
        {
            await ScriptedServer.RefuseAsync(context, fault);
            return;
        }
        try
        {
            await arrived.WaitAsync(context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        waiting.TryDequeue(out var run);
        await TellAsync(context, run! with { Worker = body.Worker });
    }

    private Task RenewAsync(HttpContext context, string run, RenewClaim body)
    {
        if (RenewFault is { } fault) return ScriptedServer.RefuseAsync(context, fault);
        Renewals.Enqueue((run, body));
        return TellAsync(context, NewRun(run, "t", null, body.Attempt!.Value) with { Worker = body.Worker });
    }

    private Task CompleteAsync(HttpContext context, string run, string body)
    {
        if (CompletionFaults.TryDequeue(out var fault)) return ScriptedServer.RefuseAsync(context, fault);
        Completions.Enqueue((run, body));
        return TellAsync(context, NewRun(run, "t", null));
    }

    private static Task TellAsync(HttpContext context, RunInfo run)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(run, NativeJson.Default.RunInfo));
    }
}
