using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Stopping;

internal sealed partial class RunStops(
    RegistryDatabase database, RunCompletion completion, RunChanges changes, StopWatches watches, ILogger<RunStops> logger) : IRunStops
{
    private const int MaxReasonLength = 1024;
    private const int MaxWorkerBytes = 256;

    public async Task<StopOutcome> RequestAsync(
        EnvironmentId environment, RunId run, string? reason, string? by, string who, CancellationToken cancellationToken)
    {
        if (reason?.Length > MaxReasonLength)
            return Refuse(ErrorCode.InvalidRequest, $"reason is {reason.Length} characters long; at most {MaxReasonLength} are allowed.");
        var asked = await TryAskAsync(environment, run, string.IsNullOrEmpty(reason) ? null : TextRule.MakeStorable(reason), by, cancellationToken);
        if (await FindAsync(environment, run, cancellationToken) is not { } there) return new StopOutcome.Refused(RunRefusals.NotFound(run));
        if (asked)
        {
            LogRequested(run, environment, who);
            await changes.TellAsync(new RegistryChange(RegistryChangeKind.StopRequested, environment, run), cancellationToken);
        }
        if (there is not { Pending: PendingWork.Completion, Attempt: 0, StopRequestedAt: not null }) return new StopOutcome.Told(there.ToRun());

        // It was ended here, or is being ended by somebody else, who does the same. Whether or not the caller still waits: readers wait for the ends of the streams.
        await completion.SettleAsync(environment, run, RunCompletion.OutcomeOf(there.Status), wasAsked: true, CancellationToken.None);
        var told = await FindAsync(environment, run, CancellationToken.None);
        return new StopOutcome.Told((told ?? there).ToRun());
    }

    public async Task<StopOutcome> AcknowledgeAsync(
        EnvironmentId environment, RunId run, string worker, int? attempt, CancellationToken cancellationToken)
    {
        if (TextRule.FindFault(worker, MaxWorkerBytes) is { } fault) return Refuse(ErrorCode.InvalidRequest, $"worker {fault}.");
        var now = database.Now();
        var noted = await database.ChangeAsync("see_stop", (context, token) => Find(context, environment, run)
            .Where(row => row.Status == RunStatus.Open && row.StopRequestedAt != null && row.StopSeenAt == null
                && (!row.Triggered || (row.Worker == worker && row.Attempt == attempt)))
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.StopSeenAt, now)
                .SetProperty(row => row.StopSeenBy, worker), token), cancellationToken) > 0;
        if (await FindAsync(environment, run, cancellationToken) is not { } there) return new StopOutcome.Refused(RunRefusals.NotFound(run));
        if (noted)
        {
            LogSeen(run, environment, worker);
            await changes.TellAsync(new RegistryChange(RegistryChangeKind.Progressed, environment, run), cancellationToken);
        }
        if (there.StopRequestedAt is null)
        {
            return there.Status == RunStatus.Open
                ? Refuse(ErrorCode.StopNotRequested, $"Nobody has asked the run {run} to stop.")
                : new StopOutcome.Refused(RunRefusals.Ended(run, there.Status));
        }
        if (noted || there.Status != RunStatus.Open || !there.Triggered || (there.Worker == worker && there.Attempt == attempt))
            return new StopOutcome.Told(there.ToRun());
        return attempt is { } said
            ? new StopOutcome.Refused(RunRefusals.ClaimLost(run, there, said))
            : Refuse(ErrorCode.InvalidRequest, "attempt is missing: the run was triggered, and only who claimed it can say that it has seen the request.");
    }

    public IStopWatch Watch(EnvironmentId environment, RunId run) => watches.Watch(environment, run);

    /// <returns>Whether this is the first request at an open run.</returns>
    private Task<bool> TryAskAsync(EnvironmentId environment, RunId run, string? reason, string? by, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return database.ChangeAsync("request_stop", async (context, token) =>
        {
            var open = Find(context, environment, run).Where(row => row.Status == RunStatus.Open && row.StopRequestedAt == null);

            // Nobody has begun, and nobody will: asking and ending are one step, and a claim that comes at the same moment sees either neither or both.
            var ended = await open.Where(row => row.Triggered && row.Attempt == 0).ExecuteUpdateAsync(set => set
                .SetProperty(row => row.StopRequestedAt, now)
                .SetProperty(row => row.StopReason, reason)
                .SetProperty(row => row.StopRequestedBy, by)
                .SetProperty(row => row.Status, RunStatus.Cancelled)
                .SetProperty(row => row.CompletedAt, now)
                .SetProperty(row => row.ClaimableAt, (DateTimeOffset?)null)
                .SetProperty(row => row.Pending, PendingWork.Completion)
                .SetProperty(row => row.PendingSince, now), token);
            if (ended > 0) return true;
            return await open.ExecuteUpdateAsync(set => set
                .SetProperty(row => row.StopRequestedAt, now)
                .SetProperty(row => row.StopReason, reason)
                .SetProperty(row => row.StopRequestedBy, by), token) > 0;
        }, cancellationToken);
    }

    private static IQueryable<StoredRun> Find(RegistryContext context, EnvironmentId environment, RunId run) => context.LivingRuns
        .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Kind == RunKind.Ordinary);

    private Task<StoredRun?> FindAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken) =>
        database.ReadAsync("find", (context, token) => Find(context, environment, run).SingleOrDefaultAsync(token), cancellationToken);

    private static StopOutcome.Refused Refuse(ErrorCode code, string detail) => new(new Refusal(code, detail));

    [LoggerMessage(EventId = 1450, Level = LogLevel.Information, Message = "Run {Run} of {Environment} was asked to stop by {By}")]
    private partial void LogRequested(RunId run, EnvironmentId environment, string by);

    [LoggerMessage(EventId = 1451, Level = LogLevel.Debug, Message = "Worker {Worker} has seen that run {Run} of {Environment} shall stop")]
    private partial void LogSeen(RunId run, EnvironmentId environment, string worker);
}
