using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Finishes what others began and did not finish.</summary>
internal sealed partial class Repetition(
    RegistryDatabase database, RunCompletion completion, RunErasure erasure, IOptions<RunRegistryOptions> options, ILogger<Repetition> logger)
{
    public async Task<Repeated> RepeatAsync(RepeatCursor? after, int most, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 1000);
        var due = await FindDueAsync(after, most, cancellationToken);
        var (done, failed) = (0, 0);
        foreach (var row in due)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!await ClaimAsync(row, cancellationToken)) continue; // Another node was faster, or it is settled by now.
            try
            {
                await FinishAsync(row, cancellationToken);
                LogRepeated(row.Pending, row.Id, row.Environment);
                done++;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // It stays pending, and the other runs do not wait for it.
                LogFailed(row.Pending, row.Id, row.Environment, exception);
                failed++;
            }
        }
        var next = due.Count < most ? null : new RepeatCursor(EnvironmentId.Parse(due[^1].Environment), RunId.Parse(due[^1].Id));
        return new Repeated(done, failed, next);
    }

    private Task<List<StoredRun>> FindDueAsync(RepeatCursor? after, int most, CancellationToken cancellationToken)
    {
        var cutOff = database.Now() - options.Value.RepeatAfter;
        var quarantined = database.Now() - erasure.Quarantine;
        var (environment, run) = (after?.Environment.Value ?? "", after?.Run.Value ?? "");
        return database.ReadAsync("find_pending", (context, token) => context.Runs
            .Where(row => row.Pending != PendingWork.None
                && row.PendingSince <= (row.Pending == PendingWork.Erased ? quarantined : cutOff)
                && (string.Compare(row.Environment, environment) > 0
                    || (row.Environment == environment && string.Compare(row.Id, run) > 0)))
            .OrderBy(row => row.Environment).ThenBy(row => row.Id)
            .Take(most)
            .ToListAsync(token), cancellationToken);
    }

    /// <summary>Takes a piece of work for as long as it would be left to somebody else from its beginning.</summary>
    private async Task<bool> ClaimAsync(StoredRun row, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return await database.ChangeAsync("claim", (context, token) => context.Runs
            .Where(there => there.Environment == row.Environment && there.Id == row.Id
                && there.Pending == row.Pending && there.PendingSince == row.PendingSince)
            .ExecuteUpdateAsync(set => set.SetProperty(there => there.PendingSince, now), token), cancellationToken) > 0;
    }

    private Task FinishAsync(StoredRun row, CancellationToken cancellationToken)
    {
        var (environment, run) = (EnvironmentId.Parse(row.Environment), RunId.Parse(row.Id));
        return row.Pending switch
        {
            PendingWork.Completion => completion.SettleAsync(environment, run, RunCompletion.OutcomeOf(row.Status), row.StopRequestedAt is not null, cancellationToken),
            PendingWork.Erasure => erasure.FirstPassAsync(environment, run, cancellationToken),
            PendingWork.Erased => erasure.SecondPassAsync(environment, run, cancellationToken),
            _ => throw new InvalidOperationException($"Nothing is pending for run {run}."),
        };
    }

    [LoggerMessage(EventId = 1406, Level = LogLevel.Information, Message = "Finished pending work ({Work}) of run {Run} of {Environment}")]
    private partial void LogRepeated(PendingWork work, string run, string environment);

    [LoggerMessage(EventId = 1407, Level = LogLevel.Warning, Message = "Could not finish pending work ({Work}) of run {Run} of {Environment}; it is tried again later")]
    private partial void LogFailed(PendingWork work, string run, string environment, Exception exception);
}
