using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>The rows of <c>token_revocations</c>, and what of <c>secret_keys</c> ends credentials in use.</summary>
internal sealed class RevocationStore(RegistryDatabase database)
{
    /// <summary>The most tokens of an environment that are revoked one by one; every node keeps their ids in memory, some 150 bytes each.</summary>
    public const int MaxSingle = 10_000;

    /// <summary>The most environments that one query asks for.</summary>
    public const int MaxEnvironments = 500;

    /// <summary>Clocks of two servers may differ by so much until a row is forgotten too early.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);

    /// <summary>All that is revoked in some environments, at most <see cref="MaxEnvironments"/>. One of which nothing is revoked may be missing.</summary>
    public Task<Dictionary<EnvironmentId, RevokedTokens>> ReadAsync(IEnumerable<EnvironmentId> environments, CancellationToken cancellationToken)
    {
        var ids = environments.Select(environment => environment.Value).ToArray();
        return database.ReadAsync("find_token_revocations", async (context, token) => ByEnvironment(await context.TokenRevocations
            .Where(row => ids.Contains(row.Environment))
            .Select(row => new Revocation(row.Environment, row.Token, row.MadeUntil))
            .ToListAsync(token)), cancellationToken);
    }

    /// <summary>What was revoked in any environment since a time.</summary>
    public Task<Dictionary<EnvironmentId, RevokedTokens>> ReadNewAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        database.ReadAsync("find_new_token_revocations", async (context, token) => ByEnvironment(await context.TokenRevocations
            .Where(row => row.CreatedAt >= since)
            .Select(row => new Revocation(row.Environment, row.Token, row.MadeUntil))
            .ToListAsync(token)), cancellationToken);

    /// <summary>The keys of some environments, at most <see cref="MaxEnvironments"/>, that are not revoked, by their digest.</summary>
    public Task<Dictionary<string, DateTimeOffset?>> ReadKeysAsync(IEnumerable<EnvironmentId> environments, CancellationToken cancellationToken)
    {
        var ids = environments.Select(environment => environment.Value).ToArray();
        return database.ReadAsync("check_secret_keys", async (context, token) =>
        {
            var rows = await context.SecretKeys
                .Where(row => ids.Contains(row.Environment) && row.RevokedAt == null)
                .Select(row => new { row.Hash, row.ExpiresAt })
                .ToListAsync(token);
            return rows.ToDictionary(row => Convert.ToHexStringLower(row.Hash), row => row.ExpiresAt, StringComparer.Ordinal);
        }, cancellationToken);
    }

    /// <returns>False when too many are revoked already.</returns>
    public Task<bool> AddAsync(EnvironmentId environment, string id, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        database.ChangeAsync("revoke_token", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            await CredentialChanges.CountTokensAsync(context, token); // First: revocations wait for each other, so that the limit is exact.
            var others = context.TokenRevocations.Where(row => row.Environment == environment.Value);
            if (await others.AnyAsync(row => row.Token == id, token)) return true;
            if (await others.CountAsync(token) >= MaxSingle) return false;
            context.TokenRevocations.Add(new StoredTokenRevocation
            {
                Environment = environment.Value,
                Token = id,
                ExpiresAt = expiresAt,
                CreatedAt = database.Now(),
            });
            await context.SaveChangesAsync(token);
            await transaction.CommitAsync(token);
            return true;
        }, cancellationToken);

    /// <summary>Adds a rule for all, then removes the earlier ones, which say less.</summary>
    public Task<DateTimeOffset> AddAllAsync(EnvironmentId environment, CancellationToken cancellationToken) =>
        database.ChangeAsync("revoke_all_tokens", async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            await CredentialChanges.CountTokensAsync(context, token);
            var now = database.Now();
            var until = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
            context.TokenRevocations.Add(new StoredTokenRevocation
            {
                Environment = environment.Value,
                Token = $"all_{RandomNumberGenerator.GetHexString(32, lowercase: true)}",
                MadeUntil = until,
                CreatedAt = now,
            });
            await context.SaveChangesAsync(token);
            await context.TokenRevocations
                .Where(row => row.Environment == environment.Value && row.MadeUntil < until)
                .ExecuteDeleteAsync(token);
            await transaction.CommitAsync(token);
            return until;
        }, cancellationToken);

    /// <summary>Removes the rows whose tokens have expired. Any number of servers may do it.</summary>
    public Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var expired = database.Now() - Slack;
        return database.ChangeAsync(
            "sweep_token_revocations",
            (context, token) => context.TokenRevocations.Where(row => row.ExpiresAt < expired).ExecuteDeleteAsync(token),
            cancellationToken);
    }

    private static Dictionary<EnvironmentId, RevokedTokens> ByEnvironment(List<Revocation> rows) =>
        rows.GroupBy(row => row.Environment, StringComparer.Ordinal).ToDictionary(
            rows => EnvironmentId.Parse(rows.Key), rows => RevokedTokens.Of(rows.Select(row => (row.Token, row.MadeUntil))));

    private sealed record Revocation(string Environment, string Token, DateTimeOffset? MadeUntil);
}
