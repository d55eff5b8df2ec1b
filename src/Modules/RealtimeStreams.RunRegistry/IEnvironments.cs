using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Knows the environments, and finds them by their secret keys.</summary>
public interface IEnvironments
{
    /// <summary>
    /// The environment that a secret key opens; null when none. Compares digests in constant time and answers yes from memory for 30 s, unless the key expires
    /// before or any server changes any environment's keys (noticed within a second, while the database answers).
    /// </summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<EnvironmentId?> FindBySecretKeyAsync(string secretKey, CancellationToken cancellationToken);

    /// <summary>All environments, by id. For operators only: no tenant learns of another.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    Task<IReadOnlyList<EnvironmentEntry>> ListAsync(CancellationToken cancellationToken);

    /// <summary>An environment; null when there is none of that id. For operators only.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    Task<EnvironmentEntry?> FindAsync(EnvironmentId environment, CancellationToken cancellationToken);

    /// <summary>Makes an environment and its first secret key.</summary>
    /// <param name="environment">The id, which names nothing yet.</param>
    /// <param name="by">Who asks, for the log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see cref="SecretKeyOutcome.Made"/>, or a refusal: there is such an environment.</returns>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The environment may have been made.</exception>
    Task<SecretKeyOutcome> CreateAsync(EnvironmentId environment, string by, CancellationToken cancellationToken);
}
