using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Ends runs.</summary>
internal sealed partial class RunCompletion(
    RegistryDatabase database, RunChanges changes, Observers observers, ILogger<RunCompletion> logger)
{
    private const int MaxErrorLength = 8192;

    public async Task<CompleteOutcome> CompleteAsync(
        EnvironmentId environment, RunId run, RunEnd end, CancellationToken cancellationToken)
    {
        if (FindStatus(end.Outcome) is not { } status)
            return Refuse(ErrorCode.InvalidRequest, "outcome: a run ends completed, failed or cancelled; it is abandoned by the server only.");
        if (end.Error?.Length > MaxErrorLength)
            return Refuse(ErrorCode.InvalidRequest, $"error is {end.Error.Length} characters long; at most {MaxErrorLength} are allowed.");
        if (DataRule.FindFault("output", end.Output, end.OutputType) is { } fault) return new CompleteOutcome.Refused(fault);

        // 1. From here on no stream of the run is made.
        var ended = await TryEndAsync(environment, run, status, end, cancellationToken);

        // 2. What stands there now, whoever put it there.
        var there = await database.ReadAsync("find", (context, token) => context.LivingRuns
            .SingleOrDefaultAsync(row => row.Environment == environment.Value && row.Id == run.Value, token), cancellationToken);
        if (there is null) return new CompleteOutcome.Refused(RunRefusals.NotFound(run));
        if (end.Attempt is { } attempt && there.Attempt != attempt) return new CompleteOutcome.Refused(RunRefusals.ClaimLost(run, there, attempt));
        if (there.Status != status) return new CompleteOutcome.Refused(RunRefusals.Ended(run, there.Status));
        if (ended) LogEnded(run, environment, status);

        // 3. Whether or not the caller still waits: readers wait for the ends of the streams.
        if (there.Pending == PendingWork.Completion) await SettleAsync(environment, run, end.Outcome, there.StopRequestedAt is not null, CancellationToken.None);
        var told = await database.FindRunAsync(environment, run, CancellationToken.None);
        return new CompleteOutcome.Completed(told ?? there.ToRun()); // Gone meanwhile: erased.
    }

    private Task<bool> TryEndAsync(
        EnvironmentId environment, RunId run, RunStatus status, RunEnd end, CancellationToken cancellationToken)
    {
        var now = database.Now();
        var error = end.Error is null ? null : TextRule.MakeStorable(end.Error);
        return database.ChangeAsync("complete", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            var ended = await context.LivingRuns
                .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Status == RunStatus.Open
                    && (end.Attempt == null || row.Attempt == end.Attempt))
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.Status, status)
                    .SetProperty(row => row.Error, error)
                    .SetProperty(row => row.CompletedAt, now)
                    .SetProperty(row => row.ClaimableAt, (DateTimeOffset?)null)
                    .SetProperty(row => row.Pending, PendingWork.Completion)
                    .SetProperty(row => row.PendingSince, now), token);
            if (ended == 0) return false;
            if (end.Output is not null) await StoreOutputAsync(context, environment, run, end, token);
            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);
    }

    private static async Task StoreOutputAsync(
        RegistryContext context, EnvironmentId environment, RunId run, RunEnd end, CancellationToken cancellationToken)
    {
        var updated = await context.RunData
            .Where(row => row.Environment == environment.Value && row.Run == run.Value)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.Output, end.Output)
                .SetProperty(row => row.OutputType, end.OutputType), cancellationToken);
        if (updated > 0) return;
        context.RunData.Add(new StoredRunData { Environment = environment.Value, Run = run.Value, Output = end.Output, OutputType = end.OutputType });
        await context.SaveChangesAsync(cancellationToken); // Nobody else adds it: only one ends the run.
    }

    /// <summary>Has everybody do what follows from a stored end, and notes that they have. Idempotent.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="run">The run.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="wasAsked">Whether somebody has asked it to stop, and may wait for this.</param>
    /// <param name="cancellationToken">Leaves the rest to a repetition.</param>
    public async Task SettleAsync(EnvironmentId environment, RunId run, Outcome outcome, bool wasAsked, CancellationToken cancellationToken)
    {
        await changes.TellAsync(new RegistryChange(RegistryChangeKind.Changed, environment, run), cancellationToken);
        await observers.OnCompletedAsync(environment, run, outcome, cancellationToken);
        await database.ChangeAsync("settle", (context, token) => context.Runs
            .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Pending == PendingWork.Completion)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.Pending, PendingWork.None)
                .SetProperty(row => row.PendingSince, (DateTimeOffset?)null), token), cancellationToken);
        if (wasAsked) await changes.TellAsync(new RegistryChange(RegistryChangeKind.Progressed, environment, run), cancellationToken);
    }

    /// <summary>The outcome that a run's streams end with.</summary>
    public static Outcome OutcomeOf(RunStatus status) => status switch
    {
        RunStatus.Completed => Outcome.Completed,
        RunStatus.Failed => Outcome.Failed,
        RunStatus.Cancelled => Outcome.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "The run has not ended."),
    };

    private static RunStatus? FindStatus(Outcome outcome) => outcome switch
    {
        Outcome.Completed => RunStatus.Completed,
        Outcome.Failed => RunStatus.Failed,
        Outcome.Cancelled => RunStatus.Cancelled,
        _ => null,
    };

    private static CompleteOutcome.Refused Refuse(ErrorCode code, string detail) => new(new Refusal(code, detail));

    [LoggerMessage(EventId = 1404, Level = LogLevel.Debug, Message = "Run {Run} of {Environment} ended as {Status}")]
    private partial void LogEnded(RunId run, EnvironmentId environment, RunStatus status);
}
