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

    /// <summary>Called within a set-up turn. Idempotent. Returns the key.</summary>
    public async Task<string> EnsureAsync(RegistryContext context, CancellationToken cancellationToken)
    {
        if (!await context.Environments.AnyAsync(row => row.Id == Id.Value, cancellationToken))
            context.Environments.Add(new StoredEnvironment { Id = Id.Value, CreatedAt = clock.GetUtcNow() });

        var (key, origin) = await ChooseKeyAsync(cancellationToken);
        var hash = EnvironmentFinder.Digest(key);
        var keys = context.SecretKeys.Where(row => row.Environment == Id.Value);
        var there = await keys.SingleOrDefaultAsync(row => row.Hash == hash, cancellationToken);
        if (there is null) context.SecretKeys.Add(Make(key, hash, origin));
        await context.SaveChangesAsync(cancellationToken);

        // Stored by a version that kept no ciphertext, or with a key ring that is gone.
        if (there is not null && !protector.TryUnprotect(there.Ciphertext, out _))
        {
            var ciphertext = protector.Protect(key);
            await keys.Where(row => row.Hash == hash)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.Ciphertext, ciphertext), cancellationToken);
        }

        // Whoever configures a key means this one and no other: keys that were configured or made before open nothing any more.
        // A made key replaces nothing, because servers with data directories of their own each make one.
        if (origin == SecretKeyOrigin.Configured && await keys.Where(row => row.Hash != hash).ExecuteDeleteAsync(cancellationToken) > 0)
            LogReplaced();
        return key;
    }

    private StoredSecretKey Make(string key, byte[] hash, SecretKeyOrigin origin) => new()
    {
        Environment = Id.Value,
        Hash = hash,
        Ciphertext = protector.Protect(key),
        Origin = origin,
        CreatedAt = clock.GetUtcNow(),
    };

    private async Task<(string Key, SecretKeyOrigin Origin)> ChooseKeyAsync(CancellationToken cancellationToken)
    {
        if (options.Value.SecretKey is { } configured) return (configured, SecretKeyOrigin.Configured);
        var file = new SecretKeyFile(Path.GetFullPath(options.Value.DataDirectory));
        var (key, isNew) = await file.ReadOrMakeAsync(cancellationToken);
        if (isNew) LogMade(file.Path);
        return (key, SecretKeyOrigin.Made);
    }

    [LoggerMessage(EventId = 1408, Level = LogLevel.Information, Message = "No secret key is configured; made one and keep it in {File}")]
    private partial void LogMade(string file);

    [LoggerMessage(EventId = 1409, Level = LogLevel.Information, Message = "The configured secret key replaced the default environment's earlier ones")]
    private partial void LogReplaced();
}
