using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>Issues and revokes public access tokens: short-lived, for what their scopes say. Needs the secret key. Safe for many threads.</summary>
public interface ITokens
{
    /// <summary>Issues a token.</summary>
    /// <param name="scopes">What it allows, 1 to 100 scopes: those of <see cref="AccessScopes"/>, or texts such as <c>read:tags:user-7</c>.</param>
    /// <param name="lifetime">1 second to 30 days, in whole seconds. Null: 15 minutes.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The token, its id, by which it can be revoked, and its end.</returns>
    /// <exception cref="RealtimeStreamsException">A scope or the lifetime is refused, or the server was not reached in time.</exception>
    Task<TokenInfo> IssueAsync(IReadOnlyList<string> scopes, TimeSpan? lifetime = null, CancellationToken cancellationToken = default);

    /// <summary>Revokes a token, on all servers within a second: what goes on with it ends. Doing it again changes nothing.</summary>
    /// <param name="tokenId">Its <see cref="TokenInfo.Id"/>.</param>
    /// <param name="cancellationToken">Gives up waiting. The token may be revoked or not.</param>
    /// <exception cref="RealtimeStreamsException">No such id was issued (<c>not_found</c>), or the server was not reached in time.</exception>
    Task RevokeAsync(string tokenId, CancellationToken cancellationToken = default);

    /// <summary>Revokes all tokens of the environment that were made until now, by whomever.</summary>
    /// <param name="cancellationToken">Gives up waiting. The tokens may be revoked or not.</param>
    /// <returns>The second that still counts as now.</returns>
    /// <exception cref="RealtimeStreamsException">The server was not reached in time.</exception>
    Task<DateTimeOffset> RevokeAllAsync(CancellationToken cancellationToken = default);
}
