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
    private readonly TaskCompletionSource stopSet = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Refuses the next claims so, in turn.</summary>
    public ConcurrentQueue<ErrorCode> ClaimFaults { get; } = new();

    /// <summary>Refuses renewals so, from when it is set.</summary>
    public ErrorCode? RenewFault { get; set; }

    /// <summary>Told with claims and renewals, from when it is set.</summary>
    public StopNotice? Stop
    {
        get;
        set
        {
            field = value;
            stopSet.TrySetResult();
        }
    }

    /// <summary>Whether requests that wait for the stop are held; otherwise they are refused, as by a server that does not know them.</summary>
    public bool HoldsStops { get; set; }

    /// <summary>Run id and body of what was acknowledged.</summary>
    public ConcurrentQueue<(string Run, SeeStop Body)> Seen { get; } = new();

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
        else if (path.EndsWith("/stop", StringComparison.Ordinal) && HoldsStops) await HoldAsync(context, RunOf(path));
        else if (path.EndsWith("/stop/seen", StringComparison.Ordinal)) await SeeAsync(context, path.Split('/')[^3], JsonSerializer.Deserialize(body, NativeJson.Default.SeeStop)!);
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

    private async Task HoldAsync(HttpContext context, string run)
    {
        await stopSet.Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Stop is { } stop) await TellReceiptAsync(context, new StopReceipt(run, StopState.Requested, stop.At, stop.Reason));
    }

    private Task SeeAsync(HttpContext context, string run, SeeStop body)
    {
        Seen.Enqueue((run, body));
        return TellReceiptAsync(context, new StopReceipt(run, StopState.Seen, Stop!.At));
    }

    private static Task TellReceiptAsync(HttpContext context, StopReceipt receipt)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(receipt, NativeJson.Default.StopReceipt));
    }

    private Task TellAsync(HttpContext context, RunInfo run)
    {
        run = run with { StopRequested = Stop };
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(run, NativeJson.Default.RunInfo));
    }
}
