using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Settings;

/// <summary>All environments' settings in memory: loaded before the first request, and again whenever credentials or settings changed.</summary>
internal sealed class KnownSettings(CredentialChanges changes)
{
    private readonly Lock gate = new();
    private volatile Snapshot snapshot = new(FrozenDictionary<EnvironmentId, EnvironmentSettings>.Empty, Generation: -1);

    /// <summary>Whether something changed since they were loaded.</summary>
    public bool IsStale => snapshot.Generation != changes.Generation;

    public EnvironmentSettings Find(EnvironmentId environment) =>
        snapshot.Settings.TryGetValue(environment, out var settings) ? settings : EnvironmentSettings.None;

    public async Task LoadAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        var generation = changes.Generation; // Before the database is asked: what changes meanwhile makes this stale.
        var rows = await context.Environments
            .Where(row => row.Settings != null)
            .Select(row => new { row.Id, row.Settings })
            .ToListAsync(cancellationToken);
        var loaded = rows.ToFrozenDictionary(row => EnvironmentId.Parse(row.Id), row => SettingsTable.Read(SettingsJson.Parse(row.Settings)));
        lock (gate)
        {
            // One that took longer does not take back what came after it.
            if (generation >= snapshot.Generation) snapshot = new Snapshot(loaded, generation);
        }
    }

    private sealed record Snapshot(FrozenDictionary<EnvironmentId, EnvironmentSettings> Settings, long Generation);
}
