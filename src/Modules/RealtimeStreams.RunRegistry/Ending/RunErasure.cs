using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Ending;

/// <summary>Erases runs, in two passes.</summary>
/// <remarks>
/// Another server may have admitted an append from memory just before it heard of the erasure, and a repetition may overlap with what it
/// repeats. Either could hit a new run of the same id. So the run's row stays, found by nobody, until neither can be; then everything is
/// erased once more, and the id is free.
/// </remarks>
internal sealed partial class RunErasure(
    RegistryDatabase database,
    RunChanges changes,
    Observers observers,
    IOptions<RunRegistryOptions> options,
    ILogger<RunErasure> logger)
{
    /// <summary>How long an erased run's id stays taken: what nodes may remember of the run, and half a minute for what is in flight then.</summary>
    public TimeSpan Quarantine { get; } = options.Value.CacheTime + TimeSpan.FromSeconds(30);

    public async Task<bool> EraseAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        // 1. From here on nobody finds the run, and no stream of it is made.
        var now = database.Now();
        var marked = await database.ChangeAsync("erase", (context, token) => context.LivingRuns
            .Where(row => row.Environment == environment.Value && row.Id == run.Value)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.Pending, PendingWork.Erasure)
                .SetProperty(row => row.PendingSince, now)
                .SetProperty(row => row.ClaimableAt, (DateTimeOffset?)null)
                .SetProperty(row => row.IdempotencyKey, (string?)null), token), cancellationToken); // Free for another run at once.
        if (marked == 0)
        {
            // Asked again while an erasure has not been through: this one goes on with it.
            var begun = await database.ReadAsync("find", (context, token) => context.Runs.AnyAsync(
                row => row.Environment == environment.Value && row.Id == run.Value && row.Pending == PendingWork.Erasure, token), cancellationToken);
            if (!begun) return false;
        }

        // 2. Whether or not the caller still waits.
        await FirstPassAsync(environment, run, CancellationToken.None);
        LogErased(run, environment);
        return true;
    }

    /// <summary>Erases what hangs on a marked run, and its streams' rows. Idempotent.</summary>
    public async Task FirstPassAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        await changes.TellAsync(new RegistryChange(RegistryChangeKind.Changed, environment, run), cancellationToken);
        await observers.OnErasingAsync(environment, run, cancellationToken);
        var now = database.Now();
        await database.ChangeAsync("erase", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            var marked = await context.Runs
                .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Pending == PendingWork.Erasure)
                .ExecuteUpdateAsync(set => set
                    .SetProperty(row => row.Pending, PendingWork.Erased)
                    .SetProperty(row => row.PendingSince, now)
                    .SetProperty(row => row.TaskId, (string?)null)
                    .SetProperty(row => row.Error, (string?)null)
                    .SetProperty(row => row.Worker, (string?)null)
                    .SetProperty(row => row.StopReason, (string?)null)
                    .SetProperty(row => row.StopRequestedBy, (string?)null)
                    .SetProperty(row => row.StopSeenBy, (string?)null)
                    .SetProperty(row => row.Tags, Array.Empty<string>()), token);
            if (marked == 0) return false; // Somebody else was through first.
            await context.Streams.Where(row => row.Environment == environment.Value && row.Run == run.Value).ExecuteDeleteAsync(token);
            await context.RunData.Where(row => row.Environment == environment.Value && row.Run == run.Value).ExecuteDeleteAsync(token);
            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);
    }

    /// <summary>Erases what was written late, and frees the id.</summary>
    public async Task SecondPassAsync(EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        await observers.OnErasingAsync(environment, run, cancellationToken);
        await database.ChangeAsync("erase", (context, token) => context.Runs
            .Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Pending == PendingWork.Erased)
            .ExecuteDeleteAsync(token), cancellationToken);
    }

    [LoggerMessage(EventId = 1405, Level = LogLevel.Information, Message = "Erased run {Run} of {Environment}")]
    private partial void LogErased(RunId run, EnvironmentId environment);
}
