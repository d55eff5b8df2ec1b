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

    /// <summary>Clocks of two servers may differ by so much until a row is forgotten too early.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(1);

    /// <summary>All that is revoked in an environment.</summary>
    public Task<RevokedTokens> ReadAsync(EnvironmentId environment, CancellationToken cancellationToken) =>
        database.ReadAsync("find_token_revocations", async (context, token) =>
        {
            var rows = await context.TokenRevocations
                .Where(row => row.Environment == environment.Value)
                .Select(row => new { row.Token, row.MadeUntil })
                .ToListAsync(token);
            return RevokedTokens.Of(rows.Select(row => (row.Token, row.MadeUntil)));
        }, cancellationToken);

    /// <summary>What was revoked in any environment since a time.</summary>
    public Task<Dictionary<EnvironmentId, RevokedTokens>> ReadNewAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        database.ReadAsync("find_new_token_revocations", async (context, token) =>
        {
            var rows = await context.TokenRevocations
                .Where(row => row.CreatedAt >= since)
                .Select(row => new { row.Environment, row.Token, row.MadeUntil })
                .ToListAsync(token);
            return rows.GroupBy(row => row.Environment, StringComparer.Ordinal).ToDictionary(
                rows => EnvironmentId.Parse(rows.Key), rows => RevokedTokens.Of(rows.Select(row => (row.Token, row.MadeUntil))));
        }, cancellationToken);

    /// <summary>All keys that an environment has or had, by their digest.</summary>
    public Task<Dictionary<string, KeyState>> ReadKeysAsync(EnvironmentId environment, CancellationToken cancellationToken) =>
        database.ReadAsync("check_secret_keys", async (context, token) =>
        {
            var rows = await context.SecretKeys
                .Where(row => row.Environment == environment.Value)
                .Select(row => new { row.Hash, row.ExpiresAt, row.RevokedAt })
                .ToListAsync(token);
            return rows.ToDictionary(row => Convert.ToHexStringLower(row.Hash), row => new KeyState(row.ExpiresAt, row.RevokedAt), StringComparer.Ordinal);
        }, cancellationToken);

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
}

/// <summary>Until when a key is one.</summary>
internal readonly record struct KeyState(DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt);
