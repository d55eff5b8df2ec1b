using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Finds environments by the SHA-256 of their keys. A key whose ciphertext is missing gets it when it is seen.</summary>
internal sealed class EnvironmentFinder(
    RegistryDatabase database, SecretKeyProtector protector, IOptions<RunRegistryOptions> options, TimeProvider clock) : IEnvironments
{
    /// <summary>Longer ones are not even hashed.</summary>
    private const int MaxKeyLength = 512;

    /// <summary>Only keys that exist are remembered, so more than this would be a great many tenants: then all are asked for once again.</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<string, Answer> remembered = new(StringComparer.Ordinal);
    private readonly long lifetime = (long)(options.Value.CacheTime.TotalSeconds * clock.TimestampFrequency);

    public ValueTask<EnvironmentId?> FindBySecretKeyAsync(string secretKey, CancellationToken cancellationToken)
    {
        if (secretKey.Length is 0 or > MaxKeyLength) return ValueTask.FromResult<EnvironmentId?>(null);
        var digest = Digest(secretKey);
        var name = Convert.ToHexStringLower(digest);
        return remembered.TryGetValue(name, out var answer)
            && clock.GetTimestamp() < answer.Until
            && CryptographicOperations.FixedTimeEquals(answer.Digest, digest)
                ? ValueTask.FromResult<EnvironmentId?>(answer.Environment)
                : new ValueTask<EnvironmentId?>(AskAsync(name, secretKey, digest, cancellationToken));
    }

    /// <summary>What of a key is stored.</summary>
    public static byte[] Digest(string secretKey) => SHA256.HashData(Encoding.UTF8.GetBytes(secretKey));

    private async Task<EnvironmentId?> AskAsync(string name, string secretKey, byte[] digest, CancellationToken cancellationToken)
    {
        var row = await database.ReadAsync("find_secret_key", (context, token) =>
            context.SecretKeys.SingleOrDefaultAsync(key => key.Hash == digest, token), cancellationToken);
        if (row is null || !CryptographicOperations.FixedTimeEquals(row.Hash, digest))
        {
            remembered.TryRemove(name, out _);
            return null;
        }
        if (!protector.TryUnprotect(row.Ciphertext, out _)) await StoreCiphertextAsync(row, secretKey, cancellationToken);
        var environment = EnvironmentId.Parse(row.Environment);
        if (remembered.Count >= MaxRemembered) remembered.Clear();
        remembered[name] = new Answer(environment, digest, clock.GetTimestamp() + lifetime);
        return environment;
    }

    private Task<int> StoreCiphertextAsync(StoredSecretKey row, string secretKey, CancellationToken cancellationToken)
    {
        var ciphertext = protector.Protect(secretKey);
        return database.ChangeAsync("protect_secret_key", (context, token) => context.SecretKeys
            .Where(there => there.Environment == row.Environment && there.Hash == row.Hash && there.Ciphertext == row.Ciphertext)
            .ExecuteUpdateAsync(set => set.SetProperty(there => there.Ciphertext, ciphertext), token), cancellationToken);
    }

    private sealed record Answer(EnvironmentId Environment, byte[] Digest, long Until);
}
