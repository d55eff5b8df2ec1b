using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

internal static class CompleteRun
{
    private const int MaxBodyBytes = 64 * 1024;

    public static async Task<Results<JsonHttpResult<RunInfo>, ProblemResult>> HandleAsync(
        HttpContext context, RunPath path, IRunRegistry registry, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.CompleteRun, new Protocol.CompleteRun(), MaxBodyBytes);
        if (problem is not null) return problem;
        var outcome = body!.Outcome ?? Outcome.Completed;
        return await registry.CompleteAsync(path.Environment, path.Run, outcome, body.Error, cancellationToken) switch
        {
            CompleteOutcome.Completed completed => Answers.Json(completed.Run.Tell(), WireJson.Contracts.RunInfo),
            CompleteOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }
}
