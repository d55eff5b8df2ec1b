using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Registering;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Claiming;

/// <summary>Claims triggered runs: looks for some that wait, then takes the first whose row still is as it was seen.</summary>
internal sealed partial class RunClaims(RegistryDatabase database, RunChanges changes, ILogger<RunClaims> logger) : IRunClaims
{
    private const int MaxTasks = 100;
    private const int MaxWorkerBytes = 256;

    /// <summary>So many are looked at, because others claim at the same time; all gone, it looks again.</summary>
    private const int Candidates = 16;

    private static readonly TimeSpan MinLease = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxLease = TimeSpan.FromHours(1);

    public async Task<ClaimOutcome> ClaimAsync(
        EnvironmentId environment, IReadOnlyList<string> tasks, string worker, TimeSpan lease, CancellationToken cancellationToken)
    {
        if ((FindFault(tasks) ?? FindFault(worker, lease)) is { } fault) return new ClaimOutcome.Refused(new Refusal(ErrorCode.InvalidRequest, fault));
        while (true)
        {
            var waiting = await FindWaitingAsync(environment, tasks, cancellationToken);
            foreach (var candidate in waiting)
            {
                if (!await TryTakeAsync(candidate, worker, lease, cancellationToken)) continue; // Another worker was faster, or it has ended.
                var run = RunId.Parse(candidate.Id);
                await changes.TellAsync(new RegistryChange(RegistryChangeKind.Progressed, environment, run), cancellationToken);
                LogClaimed(run, environment, worker, candidate.Attempt + 1);
                if (await database.FindRunAsync(environment, run, cancellationToken) is { } claimed) return new ClaimOutcome.Claimed(claimed);
            }
            if (waiting.Count == 0) return new ClaimOutcome.Nothing();
        }
    }

    public async Task<RenewOutcome> RenewAsync(
        EnvironmentId environment, RunId run, string worker, int attempt, TimeSpan lease, CancellationToken cancellationToken)
    {
        if (FindFault(worker, lease) is { } fault) return Refuse(new Refusal(ErrorCode.InvalidRequest, fault));
        var until = database.Now() + lease;
        // A renewal may come after the claim was given back, by another connection. It must not take it again: nobody would be there to hold it.
        var renewed = await database.ChangeAsync("renew", (context, token) => FindClaimed(context, environment, run, worker, attempt)
            .Where(row => row.ClaimableAt != row.CreatedAt)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ClaimableAt, until), token), cancellationToken);
        return await TellAsync(environment, run, attempt, renewed > 0, cancellationToken);
    }

    public async Task<RenewOutcome> ReleaseAsync(
        EnvironmentId environment, RunId run, string worker, int attempt, CancellationToken cancellationToken)
    {
        if (FindFault(worker) is { } fault) return Refuse(new Refusal(ErrorCode.InvalidRequest, fault));

        // When it was triggered lies in the past for the clocks of all nodes, and keeps its place.
        var released = await database.ChangeAsync("release", (context, token) => FindClaimed(context, environment, run, worker, attempt)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.ClaimableAt, row => row.CreatedAt), token), cancellationToken);
        var outcome = await TellAsync(environment, run, attempt, released > 0, cancellationToken);
        if (outcome is RenewOutcome.Renewed { Run: var waiting })
            await changes.TellAsync(new RegistryChange(RegistryChangeKind.Triggered, environment, run, waiting.TaskId), cancellationToken);
        return outcome;
    }

    private static IQueryable<StoredRun> FindClaimed(RegistryContext context, EnvironmentId environment, RunId run, string worker, int attempt) =>
        context.LivingRuns.Where(row => row.Environment == environment.Value && row.Id == run.Value && row.Status == RunStatus.Open
            && row.Attempt == attempt && row.Worker == worker && row.ClaimableAt != null);

    private async Task<RenewOutcome> TellAsync(
        EnvironmentId environment, RunId run, int attempt, bool isHeld, CancellationToken cancellationToken)
    {
        var there = await database.ReadAsync("find", (context, token) => context.LivingRuns
            .SingleOrDefaultAsync(row => row.Environment == environment.Value && row.Id == run.Value, token), cancellationToken);
        if (there is null) return Refuse(RunRefusals.NotFound(run));
        if (isHeld) return new RenewOutcome.Renewed(there.ToRun(), there.ClaimableAt ?? there.CreatedAt);
        return Refuse(there.Status == RunStatus.Open ? RunRefusals.ClaimLost(run, there, attempt) : RunRefusals.Ended(run, there.Status));
    }

    private Task<List<Waiting>> FindWaitingAsync(EnvironmentId environment, IReadOnlyList<string> tasks, CancellationToken cancellationToken)
    {
        var now = database.Now();
        var wanted = tasks.Distinct(StringComparer.Ordinal).ToArray();

        // A run that nobody has claimed waits whatever the clocks of the nodes say.
        return database.ReadAsync("find_waiting", (context, token) => context.LivingRuns
            .Where(row => row.Environment == environment.Value && row.TaskId != null && wanted.Contains(row.TaskId)
                && row.Status == RunStatus.Open && row.ClaimableAt != null && (row.Attempt == 0 || row.ClaimableAt <= now))
            .OrderBy(row => row.ClaimableAt).ThenBy(row => row.Id)
            .Take(Candidates)
            .Select(row => new Waiting(row.Environment, row.Id, row.Attempt, row.ClaimableAt))
            .ToListAsync(token), cancellationToken);
    }

    private async Task<bool> TryTakeAsync(Waiting candidate, string worker, TimeSpan lease, CancellationToken cancellationToken)
    {
        var now = database.Now();
        var until = now + lease;
        return await database.ChangeAsync("claim_run", (context, token) => context.LivingRuns
            .Where(row => row.Environment == candidate.Environment && row.Id == candidate.Id && row.Status == RunStatus.Open
                && row.Attempt == candidate.Attempt && row.ClaimableAt == candidate.ClaimableAt)
            .ExecuteUpdateAsync(set => set
                .SetProperty(row => row.Attempt, row => row.Attempt + 1)
                .SetProperty(row => row.Worker, worker)
                .SetProperty(row => row.StartedAt, row => row.StartedAt ?? now)
                .SetProperty(row => row.ClaimableAt, until), token), cancellationToken) > 0;
    }

    private static string? FindFault(IReadOnlyList<string> tasks)
    {
        if (tasks.Count is 0 or > MaxTasks) return $"tasks holds {tasks.Count} task ids; 1 to {MaxTasks} are allowed.";
        for (var i = 0; i < tasks.Count; i++)
            if (TextRule.FindFault(tasks[i], TextRule.MaxTaskIdBytes) is { } fault) return $"tasks[{i}] {fault}.";
        return null;
    }

    private static string? FindFault(string worker) => TextRule.FindFault(worker, MaxWorkerBytes) is { } fault ? $"worker {fault}." : null;

    private static string? FindFault(string worker, TimeSpan lease) =>
        FindFault(worker) ?? (lease < MinLease || lease > MaxLease ? "The lease must be 1 second to 1 hour long." : null);

    private static RenewOutcome.Refused Refuse(Refusal refusal) => new(refusal);

    [LoggerMessage(EventId = 1415, Level = LogLevel.Debug, Message = "Run {Run} of {Environment} was claimed by {Worker}, attempt {Attempt}")]
    private partial void LogClaimed(RunId run, EnvironmentId environment, string worker, int attempt);

    private sealed record Waiting(string Environment, string Id, int Attempt, DateTimeOffset? ClaimableAt);
}
