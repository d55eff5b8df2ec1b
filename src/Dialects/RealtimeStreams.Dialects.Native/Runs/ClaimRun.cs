using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Timeouts;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Gives a triggered run to a worker, and has it wait for one that is to come.</summary>
internal sealed class ClaimRun(IRunClaims claims, IRunSignals signals, GuardedWaits waits, TimeProvider clock)
{
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>Announcements can be lost, and nobody announces that a lease ran out: so often a waiting request looks by itself.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly GuardedWaits waits = waits;

    public static Task<Results<JsonHttpResult<RunInfo>, NoContent, ProblemResult>> HandleAsync(HttpContext context, Caller caller, ClaimRun endpoint) =>
        endpoint.waits.AnswerAsync(context, caller, (_, ending) => endpoint.AnswerAsync(context, caller.Environment, ending), refused => refused);

    private async Task<Results<JsonHttpResult<RunInfo>, NoContent, ProblemResult>> AnswerAsync(
        HttpContext context, EnvironmentId environment, CancellationToken ending)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.ClaimRun, new Protocol.ClaimRun(), MaxBodyBytes);
        problem ??= WorkerFields.FindFault(body!);
        if (problem is not null) return problem;
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        var lease = WorkerFields.LeaseOf(body!.LeaseInSeconds);
        var wait = TimeSpan.FromSeconds(body.WaitInSeconds ?? 0);

        using var signal = signals.WatchTriggered(environment, body.Tasks!); // First, or a trigger slips in between.
        var began = clock.GetTimestamp();
        while (true)
        {
            // Not cut off: a run that was claimed for nobody would wait for the end of its lease.
            ending.ThrowIfCancellationRequested();
            switch (await claims.ClaimAsync(environment, body.Tasks!, body.Worker!, lease, CancellationToken.None))
            {
                case ClaimOutcome.Claimed { Run: var run } when context.RequestAborted.IsCancellationRequested:
                    await claims.ReleaseAsync(environment, run.Id, body.Worker!, run.Attempt, CancellationToken.None);
                    return TypedResults.NoContent(); // To nobody.
                case ClaimOutcome.Claimed { Run: var run }:
                    return Answers.Json(run.Tell(clock.GetUtcNow()), WireJson.Contracts.RunInfo);
                case ClaimOutcome.Refused { Refusal: var refusal }:
                    return Problems.From(refusal);
                case ClaimOutcome.Nothing:
                    break;
                default:
                    throw new UnreachableException();
            }
            var left = wait - clock.GetElapsedTime(began);
            if (left <= TimeSpan.Zero) return TypedResults.NoContent();
            await signal.WaitAsync(left < LookAgain ? left : LookAgain, ending);
        }
    }
}
