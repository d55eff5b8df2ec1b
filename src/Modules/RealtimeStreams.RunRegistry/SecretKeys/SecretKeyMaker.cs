using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Changes environments' keys. Every change is one transaction that waits for the one before it, and is logged for the audit.</summary>
internal sealed partial class SecretKeyMaker(
    RegistryDatabase database, SecretKeyProtector protector, CredentialChanges changes, ILogger<SecretKeyMaker> logger) : ISecretKeys
{
    /// <summary>The most valid keys of an environment: every token that does not verify is tried with each of them.</summary>
    private const int MaxValidKeys = 20;

    public async Task<IReadOnlyList<SecretKeyEntry>?> ListAsync(EnvironmentId environment, CancellationToken cancellationToken)
    {
        var now = database.Now();
        return await database.ReadAsync("list_keys", async (context, token) =>
        {
            if (!await context.Environments.AnyAsync(row => row.Id == environment.Value, token)) return null;
            var rows = await KeysOf(context, environment).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id).ToListAsync(token);
            return rows.ConvertAll(row => Tell(row, now));
        }, cancellationToken);
    }

    public async Task<SecretKeyOutcome> CreateEnvironmentAsync(EnvironmentId environment, string by, CancellationToken cancellationToken)
    {
        var outcome = await ChangeAsync("create_environment", environment, async (context, now, token) =>
        {
            if (await context.Environments.AnyAsync(row => row.Id == environment.Value, token))
                return Refuse(ErrorCode.EnvironmentExists, $"There is an environment {environment} already.");
            context.Environments.Add(new StoredEnvironment { Id = environment.Value, CreatedAt = now });
            return await AddAsync(context, environment, null, now, token);
        }, cancellationToken);
        if (outcome is SecretKeyOutcome.Made made) LogCreated(environment, by, made.Key.Id);
        return outcome;
    }

    public async Task<SecretKeyOutcome> AddAsync(EnvironmentId environment, string by, CancellationToken cancellationToken)
    {
        var outcome = await ChangeAsync("add_key", environment, async (context, now, token) =>
        {
            if (await FindNoEnvironmentAsync(context, environment, token) is { } missing) return missing;
            return await FindFullAsync(context, environment, now, token) ?? await AddAsync(context, environment, null, now, token);
        }, cancellationToken);
        if (outcome is SecretKeyOutcome.Made made) LogMade(made.Key.Id, environment, by);
        return outcome;
    }

    public async Task<SecretKeyOutcome> RotateAsync(
        EnvironmentId environment, string key, TimeSpan overlap, string by, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(overlap, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(overlap, ISecretKeys.MaxOverlap);
        var outcome = await ChangeAsync("rotate_key", environment, async (context, now, token) =>
        {
            var (old, refusal) = await FindChangeableAsync(context, environment, key, token);
            if (refusal is not null) return refusal;
            if (!old!.IsValidAt(now)) return Refuse(ErrorCode.KeyNotFound, $"The key {key} of {environment} is not valid any more. Make one with add-key instead.");

            // Never later than it would have ended without this.
            var until = now + overlap;
            if (old.ExpiresAt < until) until = old.ExpiresAt.Value;
            if (until > now && await FindFullAsync(context, environment, now, token) is { } full) return full;
            await KeysOf(context, environment).Where(row => row.Id == key).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.RotatedAt, now).SetProperty(row => row.ExpiresAt, until), token);
            return await AddAsync(context, environment, Tell(old, now) with { RotatedAt = now, ExpiresAt = until, IsValid = until > now }, now, token);
        }, cancellationToken);
        if (outcome is SecretKeyOutcome.Made { Replaced: { } replaced } made) LogRotated(key, environment, by, made.Key.Id, replaced.ExpiresAt!.Value);
        return outcome;
    }

    public async Task<SecretKeyOutcome> RevokeAsync(EnvironmentId environment, string key, string by, CancellationToken cancellationToken)
    {
        var isNew = false;
        var outcome = await ChangeAsync("revoke_key", environment, async (context, now, token) =>
        {
            var (old, refusal) = await FindChangeableAsync(context, environment, key, token);
            if (refusal is not null) return refusal;
            if (old!.RevokedAt is not null) return new SecretKeyOutcome.Revoked(Tell(old, now));
            isNew = true;
            await KeysOf(context, environment).Where(row => row.Id == key).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.RevokedAt, now).SetProperty(row => row.Ciphertext, (string?)null), token);
            return new SecretKeyOutcome.Revoked(Tell(old, now) with { RevokedAt = now, IsValid = false });
        }, cancellationToken);
        if (isNew && outcome is SecretKeyOutcome.Revoked) LogRevoked(key, environment, by);
        return outcome;
    }

    private static IQueryable<StoredSecretKey> KeysOf(RegistryContext context, EnvironmentId environment) =>
        context.SecretKeys.Where(row => row.Environment == environment.Value);

    private static SecretKeyEntry Tell(StoredSecretKey row, DateTimeOffset now) => new(
        row.Id, row.Prefix, row.Origin, row.CreatedAt, row.RotatedAt, row.ExpiresAt, row.RevokedAt, row.IsValidAt(now));

    private static SecretKeyOutcome.Refused Refuse(ErrorCode code, string detail) => new(new Refusal(code, detail));

    private static async Task<SecretKeyOutcome.Refused?> FindNoEnvironmentAsync(
        RegistryContext context, EnvironmentId environment, CancellationToken cancellationToken) =>
        await context.Environments.AnyAsync(row => row.Id == environment.Value, cancellationToken)
            ? null
            : Refuse(ErrorCode.EnvironmentNotFound, $"There is no environment {environment}.");

    private static async Task<SecretKeyOutcome.Refused?> FindFullAsync(
        RegistryContext context, EnvironmentId environment, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var valid = await KeysOf(context, environment)
            .CountAsync(row => row.RevokedAt == null && (row.ExpiresAt == null || row.ExpiresAt > now), cancellationToken);
        return valid < MaxValidKeys
            ? null
            : Refuse(ErrorCode.LimitReached, $"The environment {environment} has {valid} valid secret keys, and at most {MaxValidKeys} are allowed. Revoke one first.");
    }

    private static async Task<(StoredSecretKey? Key, SecretKeyOutcome.Refused? Refusal)> FindChangeableAsync(
        RegistryContext context, EnvironmentId environment, string key, CancellationToken cancellationToken)
    {
        if (await FindNoEnvironmentAsync(context, environment, cancellationToken) is { } missing) return (null, missing);
        // What cannot be an id is not asked for: a database may choke on it.
        if (!SecretKeyText.MayBeId(key) || await KeysOf(context, environment).SingleOrDefaultAsync(row => row.Id == key, cancellationToken) is not { } row)
            return (null, Refuse(ErrorCode.KeyNotFound, $"The environment {environment} has no key of the id that was given."));
        return row.Origin == SecretKeyOrigin.Configured
            ? (null, Refuse(ErrorCode.KeyIsConfigured, $"The key {key} is the one that the setting RealtimeStreams:SecretKey names. Set another one and restart the servers; this one opens nothing from then on."))
            : (row, null);
    }

    private async Task<SecretKeyOutcome> AddAsync(
        RegistryContext context, EnvironmentId environment, SecretKeyEntry? replaced, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var secret = SecretKeyText.Make();
        var row = new StoredSecretKey
        {
            Environment = environment.Value,
            Hash = EnvironmentFinder.Digest(secret),
            Id = SecretKeyText.MakeId(),
            Prefix = SecretKeyText.Shorten(secret),
            Ciphertext = protector.Protect(secret),
            Origin = SecretKeyOrigin.Issued,
            CreatedAt = now,
        };
        context.SecretKeys.Add(row);
        await context.SaveChangesAsync(cancellationToken);
        return new SecretKeyOutcome.Made(Tell(row, now), secret, replaced);
    }

    private async Task<SecretKeyOutcome> ChangeAsync(
        string operation,
        EnvironmentId environment,
        Func<RegistryContext, DateTimeOffset, CancellationToken, Task<SecretKeyOutcome>> change,
        CancellationToken cancellationToken)
    {
        var outcome = await database.ChangeAsync(operation, async (context, token) =>
        {
            await using var transaction = await context.Database.BeginTransactionAsync(token);
            await CredentialChanges.CountAsync(context, token);
            var made = await change(context, database.Now(), token);
            if (made is not SecretKeyOutcome.Refused) await transaction.CommitAsync(token);
            return made;
        }, cancellationToken);

        // The change stands whoever has gone by now.
        if (outcome is not SecretKeyOutcome.Refused) await changes.TellAsync(environment, CancellationToken.None);
        return outcome;
    }

    [LoggerMessage(EventId = 1430, Level = LogLevel.Information, Message = "Environment {Environment} was made by {By}, with secret key {KeyId}")]
    private partial void LogCreated(EnvironmentId environment, string by, string keyId);

    [LoggerMessage(EventId = 1431, Level = LogLevel.Information, Message = "Secret key {KeyId} of {Environment} was made by {By}")]
    private partial void LogMade(string keyId, EnvironmentId environment, string by);

    [LoggerMessage(EventId = 1432, Level = LogLevel.Information,
        Message = "Secret key {KeyId} of {Environment} was rotated by {By}: {NewKeyId} takes its place, and it opens nothing from {ExpiresAt} on")]
    private partial void LogRotated(string keyId, EnvironmentId environment, string by, string newKeyId, DateTimeOffset expiresAt);

    [LoggerMessage(EventId = 1433, Level = LogLevel.Information, Message = "Secret key {KeyId} of {Environment} was revoked by {By}")]
    private partial void LogRevoked(string keyId, EnvironmentId environment, string by);
}
