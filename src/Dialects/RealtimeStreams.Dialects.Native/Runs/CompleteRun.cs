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
    // The output's limit is the registry's, 1 MiB.
    private const int MaxBodyBytes = (1024 + 64) * 1024;

    public static async Task<Results<JsonHttpResult<RunInfo>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, RunPath path, IRunRegistry registry, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.CompleteRun, new Protocol.CompleteRun(), MaxBodyBytes);
        if (problem is not null) return problem;
        if (caller.Grant is not null && body is not { Outcome: Outcome.Cancelled, Output: null, Worker: null, Attempt: null })
        {
            return Problems.From(
                ErrorCode.Forbidden, "An access token may only cancel a run: with the outcome cancelled, and without output, worker and attempt.", "outcome");
        }
        var end = new RunEnd(body!.Outcome ?? Outcome.Completed, body.Error)
        {
            Output = body.Output?.GetRawText(),
            OutputType = body.Output is null ? null : RunTexts.Json,
            Attempt = body.Attempt,
        };
        if (body.Worker is { } worker && await FindLossAsync(registry, path, worker, body.Attempt, cancellationToken) is { } lost) return lost;
        return await registry.CompleteAsync(path.Environment, path.Run, end, cancellationToken) switch
        {
            CompleteOutcome.Completed completed => Answers.Json(completed.Run.Tell(clock.GetUtcNow()), WireJson.Contracts.RunInfo),
            CompleteOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Looks whether the attempt is this worker's. Whose an attempt is never changes, so it does not matter that this is a step of its own;
    /// that the attempt still is the newest is decided by the step that ends the run.</summary>
    private static async Task<ProblemResult?> FindLossAsync(
        IRunRegistry registry, RunPath path, string worker, int? attempt, CancellationToken cancellationToken)
    {
        if (attempt is null) return Problems.From(ErrorCode.InvalidRequest, "The field attempt is missing beside worker.", "attempt");
        var run = await registry.FindBriefAsync(path.Environment, path.Run, cancellationToken);
        return run is not null && run.Attempt == attempt && run.Worker != worker
            ? Problems.From(ErrorCode.ClaimLost, $"The attempt {attempt} at the run {run.Id} is another worker's.")
            : null;
    }
}
