using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Makes sure that there is the default environment, and that its secret key opens it.</summary>
internal sealed partial class DefaultEnvironment(
    SecretKeyProtector protector, IOptions<RunRegistryOptions> options, TimeProvider clock, ILogger<DefaultEnvironment> logger) : IDefaultSecretKey
{
    private static readonly EnvironmentId Id = EnvironmentId.Parse("default");

    private readonly TaskCompletionSource<string> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<string> GetAsync(CancellationToken cancellationToken) => ready.Task.WaitAsync(cancellationToken);

    /// <summary>The registry is set up: whoever waits for the key gets it.</summary>
    public void Publish(string key) => ready.TrySetResult(key);

    /// <summary>Makes sure that the environment is there. Called within a set-up turn. Idempotent.</summary>
    public async Task EnsureEnvironmentAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        if (await context.Environments.AnyAsync(row => row.Id == Id.Value, cancellationToken)) return;
        context.Environments.Add(new StoredEnvironment { Id = Id.Value, CreatedAt = clock.GetUtcNow() });
        await context.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Makes sure that the environment and its key are there. Called within a set-up turn. Idempotent. Returns the key.</summary>
    /// <exception cref="InvalidOperationException">The configured key cannot be this environment's.</exception>
    public async Task<string> EnsureAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        await EnsureEnvironmentAsync(context, cancellationToken);
        var (key, origin, hash, there) = await ChooseKeyAsync(context, cancellationToken);
        var keys = context.SecretKeys.Where(row => row.Environment == Id.Value);
        var changed = there is null || there.Origin != origin;
        if (there is null) context.SecretKeys.Add(Make(key, hash, origin));
        await context.SaveChangesAsync(cancellationToken);

        // Stored by a version that kept no ciphertext or prefix, or with a key ring that is gone, or for another reason than now.
        if (there is not null && (changed || there.Prefix is null || !protector.TryUnprotect(there.Ciphertext, out _)))
        {
            var ciphertext = protector.Protect(key);
            var prefix = SecretKeyText.Shorten(key);
            await keys.Where(row => row.Hash == hash).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Ciphertext, ciphertext).SetProperty(row => row.Prefix, prefix).SetProperty(row => row.Origin, origin),
                cancellationToken);
        }

        // Whoever configures a key means this one and no other: keys that were configured or made before open nothing any more.
        // A made key replaces nothing, because servers with data directories of their own each make one. Nor are those replaced that an operator was given.
        if (origin == SecretKeyOrigin.Configured
            && await keys.Where(row => row.Hash != hash && row.Origin != SecretKeyOrigin.Issued).ExecuteDeleteAsync(cancellationToken) > 0)
        {
            changed = true;
            LogReplaced();
        }
        if (changed) await CredentialChanges.CountAsync(context, cancellationToken);
        return key;
    }

    private StoredSecretKey Make(string key, byte[] hash, SecretKeyOrigin origin) => new()
    {
        Environment = Id.Value,
        Hash = hash,
        Id = SecretKeyText.MakeId(),
        Prefix = SecretKeyText.Shorten(key),
        Ciphertext = protector.Protect(key),
        Origin = origin,
        CreatedAt = clock.GetUtcNow(),
    };

    private async Task<(string Key, SecretKeyOrigin Origin, byte[] Hash, StoredSecretKey? There)> ChooseKeyAsync(
        RegistryContext context, CancellationToken cancellationToken)
    {
        if (options.Value.SecretKey is { } configured)
        {
            var (hash, there) = await FindAsync(context, configured, cancellationToken);
            if (there is null) return (configured, SecretKeyOrigin.Configured, hash, null);
            if (there.Environment != Id.Value)
                throw new InvalidOperationException($"RealtimeStreams:SecretKey is the key {there.Id} of another environment. Set one of its own for {Id}.");
            return there.IsValidAt(clock.GetUtcNow()) && there.RotatedAt is null
                ? (configured, SecretKeyOrigin.Configured, hash, there)
                : throw new InvalidOperationException($"RealtimeStreams:SecretKey is the key {there.Id}, which was rotated or revoked. Set another one.");
        }
        var file = new SecretKeyFile(Path.GetFullPath(options.Value.DataDirectory));
        var (key, isNew) = await file.ReadOrMakeAsync(cancellationToken);
        var (digest, row) = await FindAsync(context, key, cancellationToken);
        if (row is { RotatedAt: not null } or { RevokedAt: not null })
        {
            // An operator has taken it out of use.
            (key, isNew) = (await file.MakeAsync(cancellationToken), true);
            (digest, row) = await FindAsync(context, key, cancellationToken);
        }
        if (isNew) LogMade(file.Path);
        return (key, SecretKeyOrigin.Made, digest, row);
    }

    private static async Task<(byte[] Hash, StoredSecretKey? Row)> FindAsync(RegistryContext context, string key, CancellationToken cancellationToken)
    {
        var hash = EnvironmentFinder.Digest(key);
        return (hash, await context.SecretKeys.SingleOrDefaultAsync(row => row.Hash == hash, cancellationToken));
    }

    [LoggerMessage(EventId = 1408, Level = LogLevel.Information, Message = "No secret key is configured; made one and keep it in {File}")]
    private partial void LogMade(string file);

    [LoggerMessage(EventId = 1409, Level = LogLevel.Information, Message = "The configured secret key replaced the default environment's earlier ones")]
    private partial void LogReplaced();
}
