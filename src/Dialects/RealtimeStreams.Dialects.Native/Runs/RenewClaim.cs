using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Prolongs a claim, or gives the run back.</summary>
internal static class RenewClaim
{
    private const int MaxBodyBytes = 4 * 1024;

    public static async Task<Results<JsonHttpResult<RunInfo>, ProblemResult>> HandleAsync(
        HttpContext context, RunPath path, IRunClaims claims, IRunStops stops, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.RenewClaim, new Protocol.RenewClaim(), MaxBodyBytes);
        problem ??= WorkerFields.FindFault(body!);
        if (problem is not null) return problem;
        var (worker, attempt) = (body!.Worker!, body.Attempt!.Value);
        var renewal = body.LeaseInSeconds == 0
            ? claims.ReleaseAsync(path.Environment, path.Run, worker, attempt, cancellationToken)
            : claims.RenewAsync(path.Environment, path.Run, worker, attempt, WorkerFields.LeaseOf(body.LeaseInSeconds), cancellationToken);
        var outcome = await renewal;
        // Held or given back: the worker was at it. That nobody has asked is no reason to refuse what is done already.
        if (body.StopSeen == true && outcome is RenewOutcome.Renewed { Run: { Stop.SeenAt: null } })
            await stops.AcknowledgeAsync(path.Environment, path.Run, worker, attempt, cancellationToken);
        return outcome switch
        {
            RenewOutcome.Renewed renewed => Answers.Json(renewed.Run.Tell(clock.GetUtcNow()), WireJson.Contracts.RunInfo),
            RenewOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }
}
