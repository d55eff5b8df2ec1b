using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>
/// The ids of all environments, some 100 bytes each, so that tokens of none cost no look-up of their own: anyone can send those, each with another name, and nothing has been
/// verified yet. They are read only while such tokens come, and then for all at once.
/// </summary>
internal sealed class EnvironmentIds(RegistryDatabase database, CredentialChanges changes, TimeProvider clock)
{
    /// <summary>An environment that was made since is known at once, by the generation; this is for what nobody told.</summary>
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(2);

    /// <summary>Of so many environments that reading them takes long, they are read less often: a twentieth of the time at most.</summary>
    private const int Pause = 20;

    private readonly Lock gate = new(); // Of the reading.
    private Task? reading;
    private volatile Answer? answer;

    /// <summary>Whether there is such an environment, as of at most two seconds ago.</summary>
    public async ValueTask<bool> ContainAsync(EnvironmentId environment, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (Tell(environment) is { } known) return known;
            await ReadOnceAsync().WaitAsync(cancellationToken);
        }
    }

    /// <summary>What memory says; null: nothing that is still true. No environment is ever gone, so that a yes stays one.</summary>
    private bool? Tell(EnvironmentId environment)
    {
        if (answer is not { } known) return null;
        if (known.Ids.Contains(environment.Value)) return true;
        return known.Generation == changes.Generation && clock.GetElapsedTime(known.Asked) < known.Kept ? false : null;
    }

    /// <summary>All who wait share one query, also when it fails: otherwise each of them would try in turn while the database is away.</summary>
    private Task ReadOnceAsync()
    {
        // On a thread of its own, and nobody's to cancel: it is everybody's, and SQLite reads before it returns. The database's command time-out bounds it.
        lock (gate) return reading is { IsCompleted: false } ? reading : reading = Task.Run(ReadAsync, CancellationToken.None);
    }

    private async Task ReadAsync()
    {
        var generation = changes.Generation;
        var asked = clock.GetTimestamp();
        var ids = await database.ReadAsync("list_environment_ids", (context, token) => context.Environments.Select(row => row.Id).ToListAsync(token), CancellationToken.None);
        var pause = clock.GetElapsedTime(asked) * Pause;
        answer = new Answer(ids.ToHashSet(StringComparer.Ordinal), asked, generation, pause > RefreshAfter ? pause : RefreshAfter);
    }

    private sealed record Answer(HashSet<string> Ids, long Asked, long Generation, TimeSpan Kept);
}
