using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

internal static class RegisterRun
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxTaskIdBytes = 256;
    private const int MaxTags = 32;
    private const int MaxTagBytes = 128;

    public static async Task<Results<JsonHttpResult<RunInfo>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, IRunRegistry registry, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.RegisterRun, new Protocol.RegisterRun(), MaxBodyBytes);
        if (problem is not null) return problem;
        problem = FindVersion(context, body!, out var version) ?? FindFault(body!);
        if (problem is not null) return problem;
        var registration = new RunRegistration(
            Optional(body!.Id), body.TaskId, Optional(body.ParentRunId), Optional(body.RootRunId), body.Tags ?? [], version);
        switch (await registry.RegisterAsync(caller.Environment, registration, cancellationToken))
        {
            case RegisterOutcome.Registered { Run: var run, New: var isNew }:
                if (isNew) context.Response.Headers.Location = $"/api/v1/runs/{Uri.EscapeDataString(run.Id.Value)}";
                return Answers.Json(run.Tell(), NativeJson.Default.RunInfo, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
            case RegisterOutcome.Refused { Refusal: var refusal }:
                return Problems.From(refusal);
            default:
                throw new UnreachableException();
        }
    }

    private static RunId? Optional(string? id) => id is null ? null : RunId.Parse(id);

    private static ProblemResult? FindFault(Protocol.RegisterRun body) =>
        FindIdFault(body.Id, "id") ?? FindIdFault(body.ParentRunId, "parentRunId") ?? FindIdFault(body.RootRunId, "rootRunId")
        ?? FindLengthFault(body.TaskId, "taskId", MaxTaskIdBytes) ?? FindTagFault(body.Tags);

    private static ProblemResult? FindIdFault(string? id, string field) =>
        id is not null && RunId.FindFault(id) is { } fault ? Problems.From(ErrorCode.InvalidRunId, $"The field {field} {fault}.", field) : null;

    private static ProblemResult? FindLengthFault(string? text, string field, int maxBytes) =>
        text is not null && Encoding.UTF8.GetByteCount(text) is var bytes && (bytes == 0 || bytes > maxBytes)
            ? Problems.From(ErrorCode.InvalidRequest, $"The field {field} has {bytes} bytes; it must have 1 to {maxBytes}.", field)
            : null;

    private static ProblemResult? FindTagFault(IReadOnlyList<string>? tags)
    {
        if (tags is null) return null;
        if (tags.Count > MaxTags)
            return Problems.From(ErrorCode.InvalidRequest, $"The field tags has {tags.Count} tags; a run may have at most {MaxTags}.", "tags");
        for (var i = 0; i < tags.Count; i++)
        {
            if (FindLengthFault(tags[i] ?? "", $"tags[{i}]", MaxTagBytes) is { } problem) return problem;
        }
        return null;
    }

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
        return Enum.IsDefined(version) ? null : Problems.From(ErrorCode.InvalidRequest, "The field streamsVersion must be v1 or v2.", "streamsVersion");
    }
}
