using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Counting;
using RealtimeStreams.RunRegistry.Ending;
using RealtimeStreams.RunRegistry.Expiring;
using RealtimeStreams.RunRegistry.Naming;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Registering;

/// <summary>Registers runs. The key of the table decides between nodes that register the same id at once.</summary>
internal sealed partial class RunRegistrar(RegistryDatabase database, RunChanges changes, RetentionRule retention, OpenRunLimit openRuns, ILogger<RunRegistrar> logger)
{
    public async Task<RegisterOutcome> RegisterAsync(
        EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken)
    {
        if (TextRule.FindFault(registration) is { } fault) return Refuse(ErrorCode.InvalidRequest, fault);
        var dataFault = DataRule.FindFault("payload", registration.Payload, registration.PayloadType) ?? DataRule.FindFault("metadata", registration.Metadata);
        if (dataFault is { } tooMuch)
            return new RegisterOutcome.Refused(tooMuch);
        if (registration.Id is { } wanted && HiddenRuns.MayBe(wanted)) return Refuse(ErrorCode.RunConflict, $"The run id {wanted} is reserved.");
        if (registration.StreamsVersion is not (StreamsVersion.V1 or StreamsVersion.V2))
            return Refuse(ErrorCode.InvalidRequest, "streamsVersion is neither v1 nor v2.");
        if (RetentionRule.FindFault(registration.Retention) is { } retentionFault) return new RegisterOutcome.Refused(retentionFault);

        if (await FindThereAsync(environment, registration.Id, registration, cancellationToken) is { } found) return found;
        if (retention.FindExcess(environment, registration.Retention) is { } excess) return new RegisterOutcome.Refused(excess);
        var family = await FindFamilyAsync(environment, registration, cancellationToken);
        if (family.Refusal is { } refusal) return new RegisterOutcome.Refused(refusal);

        var row = MakeRow(environment, registration, family.Root);
        var data = MakeData(row, registration);
        while (true)
        {
            var (made, limit) = await openRuns.InsertAsync(environment, token => TryInsertAsync(row, data, token), cancellationToken);
            if (made)
            {
                LogRegistered(environment, row.Id);
                if (row.Triggered)
                    await changes.TellAsync(new RegistryChange(RegistryChangeKind.Triggered, environment, RunId.Parse(row.Id), row.TaskId), cancellationToken);
                return new RegisterOutcome.Registered(row.ToRun(data), New: true);
            }
            // Somebody else was first, perhaps with the last place. Its row may be gone again when it is looked for; then it is this one's turn.
            if (await FindThereAsync(environment, RunId.Parse(row.Id), registration, cancellationToken) is { } first) return first;
            if (limit is not null) return new RegisterOutcome.Refused(limit);
        }
    }

    private StoredRun MakeRow(EnvironmentId environment, RunRegistration registration, string? root)
    {
        var now = database.Now();
        return new StoredRun
        {
            Environment = environment.Value,
            Id = (registration.Id ?? RunIds.Make()).Value,
            TaskId = registration.TaskId,
            Parent = registration.Parent?.Value,
            Root = root,
            Tags = [.. registration.Tags.Distinct(StringComparer.Ordinal)],
            Status = RunStatus.Open,
            Version = registration.StreamsVersion,
            CreatedAt = now,
            IdempotencyKey = registration.IdempotencyKey,
            Triggered = registration.Triggered,
            ClaimableAt = registration.Triggered ? now : null,
            Retention = RetentionRule.SecondsOf(registration.Retention),
        };
    }

    private static StoredRunData? MakeData(StoredRun row, RunRegistration registration) =>
        registration is { Payload: null, Metadata: null } ? null : new StoredRunData
        {
            Environment = row.Environment,
            Run = row.Id,
            Payload = registration.Payload,
            PayloadType = registration.PayloadType,
            Metadata = registration.Metadata,
        };

    private Task<bool> TryInsertAsync(StoredRun row, StoredRunData? data, CancellationToken cancellationToken) =>
        database.ChangeAsync("register", async (context, token) =>
        {
            context.Runs.Add(row);
            if (data is not null) context.RunData.Add(data);
            try
            {
                await context.SaveChangesAsync(token);
                return true;
            }
            catch (DbUpdateException exception) when (database.Provider.IsDuplicate(exception))
            {
                return false;
            }
        }, cancellationToken);

    /// <summary>The run that the idempotency key or the id names already, or why the id cannot be had; null when neither names one.</summary>
    private async Task<RegisterOutcome?> FindThereAsync(
        EnvironmentId environment, RunId? id, RunRegistration registration, CancellationToken cancellationToken)
    {
        if (registration.IdempotencyKey is { } key)
        {
            var first = await database.ReadAsync("find", (context, token) => context.LivingRuns
                .Where(row => row.Environment == environment.Value && row.TaskId == registration.TaskId && row.IdempotencyKey == key)
                .Select(row => row.Id)
                .SingleOrDefaultAsync(token), cancellationToken);
            if (first is not null && await database.FindRunAsync(environment, RunId.Parse(first), cancellationToken) is { } run)
                return new RegisterOutcome.Registered(run, New: false);
        }
        return id is { } wanted ? await FindSameAsync(environment, wanted, registration, cancellationToken) : null;
    }

    private async Task<RegisterOutcome?> FindSameAsync(
        EnvironmentId environment, RunId id, RunRegistration registration, CancellationToken cancellationToken)
    {
        var there = await database.ReadAsync("find", (context, token) =>
            context.Runs.SingleOrDefaultAsync(row => row.Environment == environment.Value && row.Id == id.Value, token), cancellationToken);
        if (there is null) return null;
        if (there.Pending >= PendingWork.Erasure)
            return Refuse(ErrorCode.RunConflict, $"The run {id} was erased a moment ago. Its id can be used again in about a minute.");
        if (await database.FindRunAsync(environment, id, cancellationToken) is not { } run) return null; // Erased just now.
        var differences = FindDifferences(run, there, registration);
        return differences.Count == 0
            ? new RegisterOutcome.Registered(run, New: false)
            : Refuse(ErrorCode.RunConflict, $"The run {id} is registered with another {string.Join(", ", differences)}.");
    }

    private static List<string> FindDifferences(Run run, StoredRun there, RunRegistration registration)
    {
        List<string> differences = [];
        if (there.TaskId != registration.TaskId) differences.Add("taskId");
        if (there.Parent != registration.Parent?.Value) differences.Add("parentRunId");

        // A root that was not said followed from the parent, which is compared already and may be gone by now.
        if (registration.Root is { } root ? there.Root != root.Value : registration.Parent is null && there.Root is not null)
            differences.Add("rootRunId");
        if (!there.Tags.ToHashSet(StringComparer.Ordinal).SetEquals(registration.Tags)) differences.Add("tags");
        if (there.Version != registration.StreamsVersion) differences.Add("streamsVersion");
        if (run.Payload != registration.Payload) differences.Add("payload");
        if (run.PayloadType != registration.PayloadType) differences.Add("payloadType");
        if (run.Metadata != registration.Metadata) differences.Add("metadata");
        if (there.IdempotencyKey != registration.IdempotencyKey) differences.Add("idempotencyKey");
        if (there.Triggered != registration.Triggered) differences.Add("triggered");
        if (there.Retention != RetentionRule.SecondsOf(registration.Retention)) differences.Add("retentionInSeconds");
        return differences;
    }

    private async Task<(string? Root, Refusal? Refusal)> FindFamilyAsync(
        EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken)
    {
        string?[] ids = [registration.Parent?.Value, registration.Root?.Value];
        if (ids is [null, null]) return default;
        var relatives = await database.ReadAsync("find", (context, token) => context.LivingRuns
            .Where(row => row.Environment == environment.Value && ids.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, row => row.Root, StringComparer.Ordinal, token), cancellationToken);
        if (registration.Parent is { } parent && !relatives.ContainsKey(parent.Value)) return (null, Missing("parentRunId", parent));
        if (registration.Root is { } root && !relatives.ContainsKey(root.Value)) return (null, Missing("rootRunId", root));
        return (registration.Root?.Value ?? relatives[registration.Parent!.Value.Value] ?? registration.Parent.Value.Value, null);
    }

    private static Refusal Missing(string field, RunId run) => new(ErrorCode.RunNotFound, $"{field}: there is no run {run}.");

    private static RegisterOutcome.Refused Refuse(ErrorCode code, string detail) => new(new Refusal(code, detail));

    [LoggerMessage(EventId = 1401, Level = LogLevel.Debug, Message = "Registered run {Run} in {Environment}")]
    private partial void LogRegistered(EnvironmentId environment, string run);
}
