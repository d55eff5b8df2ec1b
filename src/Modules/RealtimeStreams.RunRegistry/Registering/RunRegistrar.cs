using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Naming;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Registering;

/// <summary>Registers runs. The key of the table decides between nodes that register the same id at once.</summary>
internal sealed partial class RunRegistrar(RegistryDatabase database, ILogger<RunRegistrar> logger)
{
    public async Task<RegisterOutcome> RegisterAsync(
        EnvironmentId environment, RunRegistration registration, CancellationToken cancellationToken)
    {
        if (TextRule.FindFault(registration) is { } fault) return Refuse(ErrorCode.InvalidRequest, fault);
        if (registration.Id is { } wanted && HiddenRuns.MayBe(wanted)) return Refuse(ErrorCode.RunConflict, $"The run id {wanted} is reserved.");
        if (registration.StreamsVersion is not (StreamsVersion.V1 or StreamsVersion.V2))
            return Refuse(ErrorCode.InvalidRequest, "streamsVersion is neither v1 nor v2.");

        if (registration.Id is { } id && await FindSameAsync(environment, id, registration, cancellationToken) is { } found) return found;
        var family = await FindFamilyAsync(environment, registration, cancellationToken);
        if (family.Refusal is { } refusal) return new RegisterOutcome.Refused(refusal);

        var row = new StoredRun
        {
            Environment = environment.Value,
            Id = (registration.Id ?? RunIds.Make()).Value,
            TaskId = registration.TaskId,
            Parent = registration.Parent?.Value,
            Root = family.Root,
            Tags = [.. registration.Tags.Distinct(StringComparer.Ordinal)],
            Status = RunStatus.Open,
            Version = registration.StreamsVersion,
            CreatedAt = database.Now(),
        };
        while (true)
        {
            if (await TryInsertAsync(row, cancellationToken))
            {
                LogRegistered(environment, row.Id);
                return new RegisterOutcome.Registered(row.ToRun(), New: true);
            }
            // Somebody else was first. Its row may be gone again when it is looked for; then it is this one's turn.
            if (await FindSameAsync(environment, RunId.Parse(row.Id), registration, cancellationToken) is { } first) return first;
        }
    }

    private Task<bool> TryInsertAsync(StoredRun row, CancellationToken cancellationToken) =>
        database.ChangeAsync("register", async (context, token) =>
        {
            context.Runs.Add(row);
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

    private async Task<RegisterOutcome?> FindSameAsync(
        EnvironmentId environment, RunId id, RunRegistration registration, CancellationToken cancellationToken)
    {
        var there = await database.ReadAsync("find", (context, token) =>
            context.Runs.SingleOrDefaultAsync(row => row.Environment == environment.Value && row.Id == id.Value, token), cancellationToken);
        if (there is null) return null;
        if (there.Pending >= PendingWork.Erasure)
            return Refuse(ErrorCode.RunConflict, $"The run {id} was erased a moment ago. Its id can be used again in about a minute.");
        var differences = FindDifferences(there, registration);
        return differences.Count == 0
            ? new RegisterOutcome.Registered(there.ToRun(), New: false)
            : Refuse(ErrorCode.RunConflict, $"The run {id} is registered with another {string.Join(", ", differences)}.");
    }

    private static List<string> FindDifferences(StoredRun there, RunRegistration registration)
    {
        List<string> differences = [];
        if (there.TaskId != registration.TaskId) differences.Add("taskId");
        if (there.Parent != registration.Parent?.Value) differences.Add("parentRunId");

        // A root that was not said followed from the parent, which is compared already and may be gone by now.
        if (registration.Root is { } root ? there.Root != root.Value : registration.Parent is null && there.Root is not null)
            differences.Add("rootRunId");
        if (!there.Tags.ToHashSet(StringComparer.Ordinal).SetEquals(registration.Tags)) differences.Add("tags");
        if (there.Version != registration.StreamsVersion) differences.Add("streamsVersion");
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
