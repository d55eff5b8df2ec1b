using System.Collections.Concurrent;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>The environments' secret keys as such, which sign access tokens. Remembered for as long as any yes is.</summary>
internal sealed class EnvironmentKeys(
    RegistryDatabase database, SecretKeyProtector protector, IOptions<RunRegistryOptions> options, TimeProvider clock)
{
    /// <summary>A token that no remembered key signed has them asked for again, but not more often than this.</summary>
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(2);

    /// <summary>Only environments that exist are remembered; beyond this many all are asked for once again.</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<EnvironmentId, Answer> remembered = new();

    /// <summary>An environment's keys, newest first. None for one that is not there.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="fresh">Whether the remembered ones did not do: asks again if they are older than two seconds.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<SigningKeys> FindAsync(EnvironmentId environment, bool fresh, CancellationToken cancellationToken)
    {
        var maxAge = fresh ? RefreshAfter : options.Value.CacheTime;
        if (remembered.TryGetValue(environment, out var answer) && clock.GetElapsedTime(answer.Asked) < maxAge) return new SigningKeys(answer.Keys, IsNew: false);

        var asked = clock.GetTimestamp();
        var ciphertexts = await database.ReadAsync("find_secret_keys", (context, token) => context.SecretKeys
            .Where(row => row.Environment == environment.Value)
            .OrderByDescending(row => row.CreatedAt)
            .Select(row => row.Ciphertext)
            .ToListAsync(token), cancellationToken);
        var keys = ciphertexts
            .Select(ciphertext => protector.TryUnprotect(ciphertext, out var key) ? Encoding.UTF8.GetBytes(key) : null)
            .OfType<byte[]>()
            .ToArray();
        if (ciphertexts.Count == 0)
        {
            remembered.TryRemove(environment, out _);
            return new SigningKeys([], IsNew: true);
        }
        if (remembered.Count >= MaxRemembered) remembered.Clear();
        remembered[environment] = new Answer(keys, asked);
        return new SigningKeys(keys, IsNew: true);
    }

    private sealed record Answer(byte[][] Keys, long Asked);
}

/// <summary>The keys that sign and verify an environment's tokens.</summary>
/// <param name="Keys">Their UTF-8, newest first.</param>
/// <param name="IsNew">Whether the database was asked for them just now.</param>
internal readonly record struct SigningKeys(byte[][] Keys, bool IsNew);
