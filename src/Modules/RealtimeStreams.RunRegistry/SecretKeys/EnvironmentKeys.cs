using System.Collections.Concurrent;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>The environments' secret keys as such, which sign access tokens. Remembered for as long as any yes is.</summary>
internal sealed class EnvironmentKeys(
    RegistryDatabase database, EnvironmentIds environments, SecretKeyProtector protector, CredentialChanges changes, IOptions<RunRegistryOptions> options, TimeProvider clock)
{
    /// <summary>A token that no remembered key signed has them asked for again, but not more often than this.</summary>
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(2);

    /// <summary>Only environments that exist are remembered, also those without a key; beyond this many all are asked for once again.</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<EnvironmentId, Answer> remembered = new();

    /// <summary>An environment's valid keys, newest first. None for one that is not there.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="fresh">Whether the remembered ones did not do: asks again if they are older than two seconds.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<SigningKeys> FindAsync(EnvironmentId environment, bool fresh, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return FindRemembered(environment, fresh ? RefreshAfter : options.Value.CacheTime, now) ?? await AskAsync(environment, now, cancellationToken);
    }

    /// <summary>The same for an environment that a stranger names: one that is not there costs no query of its own.</summary>
    public async ValueTask<SigningKeys> FindNamedAsync(EnvironmentId environment, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (FindRemembered(environment, options.Value.CacheTime, now) is { } known) return known;
        return await environments.ContainAsync(environment, cancellationToken)
            ? await AskAsync(environment, now, cancellationToken)
            : new SigningKeys([], IsNew: true);
    }

    private SigningKeys? FindRemembered(EnvironmentId environment, TimeSpan maxAge, DateTimeOffset now) =>
        remembered.TryGetValue(environment, out var answer)
        && answer.Generation == changes.Generation
        && clock.GetElapsedTime(answer.Asked) < maxAge
        && !(answer.FirstExpiry <= now) ? new SigningKeys(answer.Keys, IsNew: false) : null;

    private async Task<SigningKeys> AskAsync(EnvironmentId environment, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var generation = changes.Generation;
        var asked = clock.GetTimestamp();
        var rows = await database.ReadAsync("find_secret_keys", (context, token) => context.SecretKeys
            .Where(row => row.Environment == environment.Value && row.RevokedAt == null && (row.ExpiresAt == null || row.ExpiresAt > now))
            .OrderByDescending(row => row.CreatedAt)
            .Select(row => new { row.Id, row.Hash, row.Ciphertext, row.ExpiresAt })
            .ToListAsync(token), cancellationToken);
        var keys = rows
            .Select(row => protector.TryUnprotect(row.Ciphertext, out var key)
                ? new SigningKey(Encoding.UTF8.GetBytes(key), new KeyMark(row.Id, Convert.ToHexStringLower(row.Hash), row.ExpiresAt, generation))
                : null)
            .OfType<SigningKey>()
            .ToArray();
        if (remembered.Count >= MaxRemembered) remembered.Clear();
        remembered[environment] = new Answer(keys, asked, generation, rows.Min(row => row.ExpiresAt));
        return new SigningKeys(keys, IsNew: true);
    }

    private sealed record Answer(SigningKey[] Keys, long Asked, long Generation, DateTimeOffset? FirstExpiry);
}

/// <summary>The keys that sign and verify an environment's tokens.</summary>
/// <param name="Keys">Newest first.</param>
/// <param name="IsNew">Whether the database was asked for them just now.</param>
internal readonly record struct SigningKeys(SigningKey[] Keys, bool IsNew);

/// <summary>A secret key as such.</summary>
/// <param name="Secret">Its UTF-8. Never for a log.</param>
/// <param name="Mark">Names it.</param>
internal sealed record SigningKey(byte[] Secret, KeyMark Mark)
{
    /// <summary>Without the key.</summary>
    public override string ToString() => nameof(SigningKey);
}
