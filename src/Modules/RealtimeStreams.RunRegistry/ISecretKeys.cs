using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>The secret keys of the environments, for operators. What is changed here all servers of the registry follow within a second.</summary>
/// <remarks>
/// Who changes something says who he is (<c>by</c>): it goes into the log, and so holds no secret. No call repeats a key: one whose answer was lost is revoked,
/// and another one made.
/// </remarks>
public interface ISecretKeys
{
    /// <summary>The longest time for which a rotated key may stay valid.</summary>
    static readonly TimeSpan MaxOverlap = TimeSpan.FromDays(90);

    /// <summary>An environment's keys, oldest first, with those that are not valid any more; null when there is no such environment.</summary>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    Task<IReadOnlyList<SecretKeyEntry>?> ListAsync(EnvironmentId environment, CancellationToken cancellationToken);

    /// <summary>Makes one more key.</summary>
    /// <returns><see cref="SecretKeyOutcome.Made"/>, or a refusal: no such environment, or 20 valid keys already.</returns>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. A key that nobody knows may have been made.</exception>
    Task<SecretKeyOutcome> AddAsync(EnvironmentId environment, string by, CancellationToken cancellationToken);

    /// <summary>Makes a key in the place of another, which stays valid for a while.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="key">The id of the key to be replaced. One that was rotated already can be rotated again, but never lives longer for it.</param>
    /// <param name="overlap">For how long the old key stays valid: from zero to <see cref="MaxOverlap"/>.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns><see cref="SecretKeyOutcome.Made"/>, or a refusal: no such environment or valid key, or one that is configured.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The overlap is out of its range.</exception>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The key may have been rotated.</exception>
    Task<SecretKeyOutcome> RotateAsync(EnvironmentId environment, string key, TimeSpan overlap, string by, CancellationToken cancellationToken);

    /// <summary>Takes a key out of use now, and with it every token that it signed. Revoking again is no error.</summary>
    /// <returns><see cref="SecretKeyOutcome.Revoked"/>, or a refusal: no such environment or key, or one that is configured.</returns>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The key may have been revoked.</exception>
    Task<SecretKeyOutcome> RevokeAsync(EnvironmentId environment, string key, string by, CancellationToken cancellationToken);
}
