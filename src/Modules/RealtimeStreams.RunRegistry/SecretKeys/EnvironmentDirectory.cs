using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Settings;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>The environments there are: lists them, makes them, and has them found by their keys.</summary>
internal sealed class EnvironmentDirectory(
    RegistryDatabase database, EnvironmentFinder finder, SecretKeyMaker keys, RegistryTelemetry telemetry) : IEnvironments
{
    public async ValueTask<EnvironmentId?> FindBySecretKeyAsync(string secretKey, CancellationToken cancellationToken)
    {
        var found = await finder.FindAsync(secretKey, cancellationToken);
        if (found.Fault is { } fault) telemetry.RecordRefusedKey(fault);
        return found.Environment;
    }

    public Task<IReadOnlyList<EnvironmentEntry>> ListAsync(CancellationToken cancellationToken) => ListAsync(null, cancellationToken);

    public async Task<EnvironmentEntry?> FindAsync(EnvironmentId environment, CancellationToken cancellationToken) =>
        (await ListAsync(environment.Value, cancellationToken)).SingleOrDefault();

    public Task<SecretKeyOutcome> CreateAsync(EnvironmentId environment, string by, CancellationToken cancellationToken) =>
        keys.CreateEnvironmentAsync(environment, by, cancellationToken);

    private async Task<IReadOnlyList<EnvironmentEntry>> ListAsync(string? only, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return await database.ReadAsync("list_environments", async (context, token) =>
        {
            var valid = await context.SecretKeys
                .Where(row => only == null || row.Environment == only)
                .Where(row => row.RevokedAt == null && (row.ExpiresAt == null || row.ExpiresAt > now))
                .GroupBy(row => row.Environment)
                .Select(group => new { group.Key, Count = group.Count() })
                .ToDictionaryAsync(group => group.Key, group => group.Count, StringComparer.Ordinal, token);
            var rows = await context.Environments.Where(row => only == null || row.Id == only).OrderBy(row => row.Id).ToListAsync(token);
            return rows.ConvertAll(row => new EnvironmentEntry(
                EnvironmentId.Parse(row.Id), row.CreatedAt, valid.GetValueOrDefault(row.Id), SettingsJson.Parse(row.Settings)));
        }, cancellationToken);
    }
}
