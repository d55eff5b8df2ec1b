using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Settings;

/// <summary>Tells environments' settings, and changes them: in one transaction that waits for the one before it, logged for the audit.</summary>
internal sealed partial class SettingsKeeper(
    RegistryDatabase database, SettingsTable table, KnownSettings known, CredentialChanges changes, EnvironmentDirectory directory, ILogger<SettingsKeeper> logger)
    : IEnvironmentSettings
{
    public IReadOnlyList<EnvironmentSetting> All => table.Rows;

    public EnvironmentSettings Find(EnvironmentId environment) => known.Find(environment);

    public async Task<EnvironmentSettingsOutcome> ChangeAsync(
        EnvironmentId environment, IReadOnlyDictionary<string, long?> wanted, string by, CancellationToken cancellationToken)
    {
        if (FindFault(wanted) is { } fault) return fault;
        var (found, told) = await database.ChangeAsync("change_settings", (context, token) => StoreAsync(context, environment, wanted, token), cancellationToken);
        if (!found) return Missing(environment);
        if (told.Length > 0)
        {
            // The change stands whoever has gone by now.
            LogChanged(environment, by, told);
            await changes.TellAsync(environment, CancellationToken.None);
            await database.ReadAsync("load_settings", async (context, token) =>
            {
                await known.LoadAsync(context, token);
                return true;
            }, CancellationToken.None);
        }
        return await directory.FindAsync(environment, cancellationToken) is { } entry ? new EnvironmentSettingsOutcome.Changed(entry) : Missing(environment);
    }

    /// <returns>Whether there is such an environment, and what changed, for people; nothing did when that is empty.</returns>
    private static async Task<(bool Found, string Told)> StoreAsync(
        RegistryContext context, EnvironmentId environment, IReadOnlyDictionary<string, long?> wanted, CancellationToken cancellationToken)
    {
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        await CredentialChanges.CountAsync(context, cancellationToken);
        var rows = context.Environments.Where(row => row.Id == environment.Value);
        if (await rows.SingleOrDefaultAsync(cancellationToken) is not { } row) return (false, "");
        var values = SettingsJson.Parse(row.Settings);
        List<string> told = [];
        foreach (var (name, value) in wanted.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var old = values.TryGetValue(name, out var there) ? there : default(long?);
            if (old == value) continue;
            if (value is { } number) values[name] = number;
            else values.Remove(name);
            told.Add($"{name} {Tell(old)} → {Tell(value)}");
        }
        if (told.Count == 0) return (true, "");
        var text = SettingsJson.Write(values);
        await rows.ExecuteUpdateAsync(set => set.SetProperty(there => there.Settings, text), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (true, string.Join(", ", told));
    }

    private EnvironmentSettingsOutcome.Refused? FindFault(IReadOnlyDictionary<string, long?> wanted)
    {
        foreach (var (name, value) in wanted)
        {
            if (table.Find(name) is not { } setting)
                return Refuse($"There is no setting of the name that was given. There are: {string.Join(", ", table.Rows.Select(row => row.Name))}.", null);
            if (value is { } number && setting.FindFault(number) is { } fault) return Refuse(fault, name);
        }
        return null;
    }

    private static string Tell(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "default";

    private static EnvironmentSettingsOutcome.Refused Refuse(string detail, string? field) => new(new Refusal(ErrorCode.InvalidRequest, detail), field);

    private static EnvironmentSettingsOutcome.Refused Missing(EnvironmentId environment) =>
        new(new Refusal(ErrorCode.EnvironmentNotFound, $"There is no environment {environment}."));

    [LoggerMessage(EventId = 1436, Level = LogLevel.Information, Message = "Settings of {Environment} were changed by {By}: {Changes}")]
    private partial void LogChanged(EnvironmentId environment, string by, string changes);
}
