using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Finds environments by the SHA-256 of their keys. A key whose ciphertext or prefix is missing gets it when it is seen.</summary>
internal sealed class EnvironmentFinder(
    RegistryDatabase database,
    SecretKeyProtector protector,
    CredentialChanges changes,
    IOptions<RunRegistryOptions> options,
    TimeProvider clock)
{
    /// <summary>Longer ones are not even hashed.</summary>
    private const int MaxKeyLength = 512;

    /// <summary>Only keys that exist are remembered, so more than this would be a great many tenants: then all are asked for once again.</summary>
    private const int MaxRemembered = 10_000;

    private readonly ConcurrentDictionary<string, Answer> remembered = new(StringComparer.Ordinal);
    private readonly long lifetime = (long)(options.Value.CacheTime.TotalSeconds * clock.TimestampFrequency);

    public ValueTask<KeyFinding> FindAsync(string secretKey, CancellationToken cancellationToken)
    {
        if (secretKey.Length is 0 or > MaxKeyLength) return ValueTask.FromResult(KeyFinding.Refused("malformed"));
        var digest = Digest(secretKey);
        var name = Convert.ToHexStringLower(digest);
        return FindRemembered(name, digest) is { } known
            ? ValueTask.FromResult(known)
            : new ValueTask<KeyFinding>(AskAsync(name, secretKey, digest, cancellationToken));
    }

    /// <summary>What memory has of a key; null when it has nothing that is still true.</summary>
    public KeyFinding? FindRemembered(string secretKey)
    {
        if (secretKey.Length is 0 or > MaxKeyLength) return null;
        var digest = Digest(secretKey);
        return FindRemembered(Convert.ToHexStringLower(digest), digest);
    }

    private KeyFinding? FindRemembered(string name, byte[] digest) =>
        remembered.TryGetValue(name, out var answer)
        && answer.Generation == changes.Generation
        && clock.GetTimestamp() < answer.Until
        && !(answer.ExpiresAt <= clock.GetUtcNow())
        && CryptographicOperations.FixedTimeEquals(answer.Digest, digest)
            ? answer.ToFinding(name)
            : null;

    /// <summary>What of a key is stored.</summary>
    public static byte[] Digest(string secretKey) => SHA256.HashData(Encoding.UTF8.GetBytes(secretKey));

    private async Task<KeyFinding> AskAsync(string name, string secretKey, byte[] digest, CancellationToken cancellationToken)
    {
        var generation = changes.Generation;
        var row = await database.ReadAsync("find_secret_key", (context, token) =>
            context.SecretKeys.SingleOrDefaultAsync(key => key.Hash == digest, token), cancellationToken);
        if (row is null || !CryptographicOperations.FixedTimeEquals(row.Hash, digest) || !row.IsValidAt(clock.GetUtcNow()))
        {
            remembered.TryRemove(name, out _);
            return KeyFinding.Refused(row is null ? "unknown" : row.RevokedAt is null ? "expired" : "revoked");
        }
        if (row.Prefix is null || !protector.TryUnprotect(row.Ciphertext, out _)) await StoreCiphertextAsync(row, secretKey, cancellationToken);
        var environment = EnvironmentId.Parse(row.Environment);
        if (remembered.Count >= MaxRemembered) remembered.Clear();
        var answer = new Answer(environment, row.Id, digest, generation, row.ExpiresAt, clock.GetTimestamp() + lifetime);
        remembered[name] = answer;
        return answer.ToFinding(name);
    }

    private Task<int> StoreCiphertextAsync(StoredSecretKey row, string secretKey, CancellationToken cancellationToken)
    {
        var ciphertext = protector.Protect(secretKey);
        var prefix = SecretKeyText.Shorten(secretKey);
        return database.ChangeAsync("protect_secret_key", (context, token) => context.SecretKeys
            .Where(there => there.Environment == row.Environment && there.Hash == row.Hash && there.Ciphertext == row.Ciphertext && there.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(there => there.Ciphertext, ciphertext).SetProperty(there => there.Prefix, prefix), token), cancellationToken);
    }

    private sealed record Answer(EnvironmentId Environment, string Id, byte[] Digest, long Generation, DateTimeOffset? ExpiresAt, long Until)
    {
        public KeyFinding ToFinding(string digest) => new(Environment, new KeyMark(Id, digest, ExpiresAt, Generation), null);
    }
}

/// <summary>The environment that a text opens as its secret key, or why it opens none.</summary>
internal readonly record struct KeyFinding(EnvironmentId? Environment, KeyMark Key, string? Fault)
{
    public static KeyFinding Refused(string fault) => new(null, default, fault);
}
