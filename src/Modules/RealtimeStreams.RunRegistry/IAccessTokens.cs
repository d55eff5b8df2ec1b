using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Checks, makes and takes back public access tokens: short-lived JWTs that an environment's secret key signs (HS256), here or in a client's SDK.</summary>
public interface IAccessTokens
{
    /// <summary>The shortest that a token is valid: 1 second.</summary>
    static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(1);

    /// <summary>The most bytes that a token's scopes may have together, as <see cref="AccessScope.WrittenBytes"/> counts them.</summary>
    /// <remarks>With an environment's longest id (6 x 256 bytes, all escaped) and the other claims (300) it makes 5,932 bytes, 7,991 characters with the signature: a token has at most 8,192.</remarks>
    const int MaxScopeBytes = 4096;

    /// <summary>What a token grants; null when it is no valid token, whatever the reason.</summary>
    /// <remarks>
    /// Valid is a token of at most 8 KiB that any of its environment's secret keys signed, for this product, that has not expired and was not
    /// revoked. Keys are answered from memory for 30 s; one that was added is seen after 2 s at the latest, one that was removed opens nothing after
    /// those 30 s. A revocation is seen at once on the node that made it, and within a second on the others.
    /// </remarks>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<AccessGrant?> VerifyAsync(string token, CancellationToken cancellationToken);

    /// <summary>Makes a token, signed with the environment's newest secret key.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="scopes">What it grants, in the words of <see cref="AccessScope"/>; all together small enough for a token of 8 KiB.</param>
    /// <param name="lifetime">How long it is valid: from 1 second to 10 years.</param>
    /// <param name="by">Who asks, for the log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">The token would be longer than 8 KiB, or a scope is empty.</exception>
    /// <exception cref="InvalidOperationException">The environment has no secret key that can be used: none at all, or none since its ciphertext was made.</exception>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached.</exception>
    ValueTask<IssuedToken> IssueAsync(
        EnvironmentId environment, IReadOnlyList<string> scopes, TimeSpan lifetime, string by, CancellationToken cancellationToken);

    /// <summary>Takes back one token that was issued here. Doing it again, or for one that has expired, changes nothing.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="tokenId">The token's <see cref="IssuedToken.Id"/>.</param>
    /// <param name="by">Who asks, for the log.</param>
    /// <param name="cancellationToken">Gives up waiting; the token may be revoked all the same.</param>
    /// <returns>Null when it is done; otherwise why not: no such id can have been issued, or too many are revoked one by one.</returns>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The token may be revoked.</exception>
    ValueTask<Refusal?> RevokeAsync(EnvironmentId environment, string tokenId, string by, CancellationToken cancellationToken);

    /// <summary>Takes back every token of an environment that was made until now, here or by a client: those whose <c>iat</c> is not later, or that have none.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="by">Who asks, for the log.</param>
    /// <param name="cancellationToken">Gives up waiting; the tokens may be revoked all the same.</param>
    /// <returns>The second that still counts as "until now"; tokens made after it are valid.</returns>
    /// <exception cref="RegistryUnavailableException">The database cannot be reached. The tokens may be revoked.</exception>
    ValueTask<DateTimeOffset> RevokeAllAsync(EnvironmentId environment, string by, CancellationToken cancellationToken);
}

/// <summary>A token that was made here.</summary>
/// <param name="Token">The token. Never for a log.</param>
/// <param name="Id">Names it without being it: its <c>jti</c>.</param>
/// <param name="ExpiresAt">From when on it is none; whole seconds.</param>
public sealed record IssuedToken(string Token, string Id, DateTimeOffset ExpiresAt)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"{Id}, until {ExpiresAt:O}";
}

/// <summary>Watches over a credential that is in use.</summary>
public interface IAccessWatch : IDisposable
{
    /// <summary>Cancelled when the credential is none any more. Not cancelled by <see cref="IDisposable.Dispose"/>.</summary>
    CancellationToken Ended { get; }

    /// <summary>Why; null while the credential holds.</summary>
    AccessEnd? End { get; }
}

/// <summary>Why a credential is none any more.</summary>
public enum AccessEnd
{
    /// <summary>Its time is over.</summary>
    Expired = 1,

    /// <summary>It was taken back.</summary>
    Revoked = 2,
}
