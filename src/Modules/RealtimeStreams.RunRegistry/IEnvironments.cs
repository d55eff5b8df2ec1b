using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Knows the environments by their secret keys.</summary>
public interface IEnvironments
{
    /// <summary>The environment that a secret key opens; null when none. Compares digests in constant time and answers yes from memory for 30 s.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<EnvironmentId?> FindBySecretKeyAsync(string secretKey, CancellationToken cancellationToken);
}
