using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

internal static class RegisterRun
{
    // The payload's limit is the registry's, 1 MiB.
    private const int MaxBodyBytes = (1024 + 64) * 1024;

    public static async Task<Results<JsonHttpResult<RunInfo>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, IRunRegistry registry, IRetention retention, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.RegisterRun, new Protocol.RegisterRun(), MaxBodyBytes);
        if (problem is not null) return problem;
        problem = FindVersion(context, body!, out var version) ?? FindFault(body!);
        if (problem is not null) return problem;
        var registration = new RunRegistration(
            Optional(body!.Id), body.TaskId, Optional(body.ParentRunId), Optional(body.RootRunId), body.Tags ?? [], version)
        {
            Triggered = body.Triggered ?? false,
            Payload = body.Payload?.GetRawText(),
            PayloadType = body.Payload is null ? null : RunTexts.Json,
            IdempotencyKey = body.IdempotencyKey,
            Retention = body.RetentionInSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        switch (await registry.RegisterAsync(caller.Environment, registration, cancellationToken))
        {
            case RegisterOutcome.Registered { Run: var run, New: var isNew }:
                if (isNew) context.Response.Headers.Location = $"/api/v1/runs/{Uri.EscapeDataString(run.Id.Value)}";
                var told = run.Tell(clock.GetUtcNow(), retention: retention.Of(caller.Environment, run));
                return Answers.Json(told, WireJson.Contracts.RunInfo, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
            case RegisterOutcome.Refused { Refusal: var refusal }:
                return Problems.From(refusal);
            default:
                throw new UnreachableException();
        }
    }

    private static RunId? Optional(string? id) => id is null ? null : RunId.Parse(id);

    private static ProblemResult? FindFault(Protocol.RegisterRun body) =>
        FindIdFault(body.Id, "id") ?? FindIdFault(body.ParentRunId, "parentRunId") ?? FindIdFault(body.RootRunId, "rootRunId");

    private static ProblemResult? FindIdFault(string? id, string field) =>
        id is not null && RunId.FindFault(id) is { } fault ? Problems.From(ErrorCode.InvalidRunId, $"The field {field} {fault}.", field) : null;

    private static ProblemResult? FindVersion(HttpContext context, Protocol.RegisterRun body, out StreamsVersion version)
    {
        version = body.StreamsVersion ?? StreamsVersion.V2;
        var header = context.Request.Headers[NativeHeaders.StreamsVersion].ToString();
        if (body.StreamsVersion is null && header.Length > 0)
        {
            if (!header.Equals("v1", StringComparison.OrdinalIgnoreCase) && !header.Equals("v2", StringComparison.OrdinalIgnoreCase))
            {
                return Problems.From(
                    ErrorCode.InvalidRequest, $"The header {NativeHeaders.StreamsVersion} must be v1 or v2.", NativeHeaders.StreamsVersion);
            }
            version = header[1] == '1' ? StreamsVersion.V1 : StreamsVersion.V2;
        }
        return null;
    }
}
