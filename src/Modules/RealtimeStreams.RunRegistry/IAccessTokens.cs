using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Checks and makes public access tokens: short-lived JWTs that an environment's secret key signs (HS256), here or in a client's SDK.</summary>
public interface IAccessTokens
{
    /// <summary>What a token grants; null when it is no valid token, whatever the reason.</summary>
    /// <remarks>
    /// Valid is a token of at most 8 KiB that any of its environment's secret keys signed, for this product, and that has not expired. Keys
    /// are answered from memory for 30 s; one that was added is seen after 2 s at the latest, one that was removed opens nothing after those 30 s.
    /// </remarks>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<AccessGrant?> VerifyAsync(string token, CancellationToken cancellationToken);

    /// <summary>Makes a token, signed with the environment's newest secret key.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="scopes">What it grants, in the words of <see cref="AccessScope"/>; all together small enough for a token of 8 KiB.</param>
    /// <param name="lifetime">How long it is valid: from 1 second to 10 years.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The token would be longer than 8 KiB, or a scope is empty.</exception>
    /// <exception cref="InvalidOperationException">The environment has no secret key that can be used: none at all, or none since its ciphertext was made.</exception>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<string> IssueAsync(
        EnvironmentId environment, IReadOnlyList<string> scopes, TimeSpan lifetime, CancellationToken cancellationToken);
}
