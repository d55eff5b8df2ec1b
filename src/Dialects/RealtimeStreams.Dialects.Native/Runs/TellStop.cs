using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Timeouts;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Tells the receipt of a request to stop, and has its asker or the run's worker wait for it to get as far as they want.</summary>
internal sealed class TellStop(
    IRunRegistry registry, IRunSignals signals, GuardedWaits waits, RequestLimits limits, StopTexts texts, TimeProvider clock)
{
    /// <summary>Announcements can be lost: so often a waiting request looks by itself.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    public static Task<Results<JsonHttpResult<StopReceipt>, NoContent, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, RunPath path, string? waitInSeconds, string? state, TellStop endpoint) =>
        endpoint.AnswerAsync(context, caller, path, waitInSeconds, state);

    private async Task<Results<JsonHttpResult<StopReceipt>, NoContent, ProblemResult>> AnswerAsync(
        HttpContext context, Caller caller, RunPath path, string? waitInSeconds, string? state)
    {
        if (WaitParameter.FindFault(waitInSeconds, TimeSpan.Zero, out var wait) is { } fault) return fault;
        StopState? wanted = state switch
        {
            null or "requested" => StopState.Requested,
            "seen" => StopState.Seen,
            "stopped" => StopState.Stopped,
            _ => null,
        };
        if (wanted is not { } least) return Problems.From(ErrorCode.InvalidRequest, "The parameter state must be requested, seen or stopped.", "state");
        if (wait > TimeSpan.Zero && limits.BecomeReader(context) is { } full) return Problems.From(full);
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        context.Response.Headers.CacheControl = "no-store";
        return await waits.AnswerAsync(context, caller, (_, ending) => WaitAsync(path, wait, least, ending), refused => refused);
    }

    private async Task<Results<JsonHttpResult<StopReceipt>, NoContent, ProblemResult>> WaitAsync(
        RunPath path, TimeSpan wait, StopState least, CancellationToken cancellationToken)
    {
        using var signal = signals.Watch(path.Environment, path.Run); // First, or a change slips in between.
        var began = clock.GetTimestamp();
        while (true)
        {
            if (await registry.FindBriefAsync(path.Environment, path.Run, cancellationToken) is not { IsHidden: false } run)
                return Problems.From(RunTexts.NotFound(path.Run));
            var left = wait - clock.GetElapsedTime(began);
            if (Reaches(run, least) || left <= TimeSpan.Zero)
            {
                if (run is { Stop: null, Status: RunStatus.Open }) return TypedResults.NoContent();
                return Answers.Json(await texts.TellAsync(path.Environment, run, cancellationToken), WireJson.Contracts.StopReceipt);
            }
            await signal.WaitAsync(left < LookAgain ? left : LookAgain, cancellationToken);
        }
    }

    /// <summary>A run that has ended, and whose streams have, goes no further.</summary>
    private static bool Reaches(Run run, StopState state) => run.IsSettled || state switch
    {
        StopState.Requested => run.Stop is not null,
        StopState.Seen => run.Stop?.SeenAt is not null,
        _ => false,
    };
}
