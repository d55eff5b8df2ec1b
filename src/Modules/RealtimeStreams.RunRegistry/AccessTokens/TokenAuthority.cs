using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.SecretKeys;

namespace RealtimeStreams.RunRegistry.AccessTokens;

/// <summary>Verifies, issues and revokes tokens with the environments' secret keys.</summary>
internal sealed partial class TokenAuthority(
    EnvironmentKeys keys, Revocations revocations, TimeProvider clock, RegistryTelemetry telemetry, ILogger<TokenAuthority> logger) : IAccessTokens
{
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(3653);

    public async ValueTask<AccessGrant?> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        return (await CheckAsync(token, cancellationToken)).Grant;
    }

    /// <summary>Verifies a token, and tells what is wrong with it or which key signed it.</summary>
    public async ValueTask<TokenCheck> CheckAsync(string token, CancellationToken cancellationToken)
    {
        if (!TokenText.TryParse(token, out var text) || TokenClaims.TryRead(text.Payload) is not { } claims) return TokenCheck.Refused(TokenFaults.Malformed);
        if (claims.FindFaultAt(clock.GetUtcNow()) is { } untimely) return TokenCheck.Refused(untimely);
        if (await FindSignerAsync(text, claims.Environment, cancellationToken) is not { } key) return TokenCheck.Refused(TokenFaults.BadSignature);
        var grant = claims.ToGrant();
        return (await revocations.FindAsync(grant.Environment, cancellationToken)).Revokes(grant)
            ? TokenCheck.Refused(TokenFaults.Revoked)
            : new TokenCheck(grant, key, null);
    }

    public ValueTask<Refusal?> RevokeAsync(EnvironmentId environment, string tokenId, string by, CancellationToken cancellationToken) =>
        revocations.RevokeAsync(environment, tokenId, by, cancellationToken);

    public ValueTask<DateTimeOffset> RevokeAllAsync(EnvironmentId environment, string by, CancellationToken cancellationToken) =>
        revocations.RevokeAllAsync(environment, by, cancellationToken);

    public async ValueTask<IssuedToken> IssueAsync(
        EnvironmentId environment, IReadOnlyList<string> scopes, TimeSpan lifetime, string by, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        ArgumentOutOfRangeException.ThrowIfLessThan(lifetime, IAccessTokens.MinLifetime);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, MaxLifetime);
        if (scopes.Any(string.IsNullOrEmpty)) throw new ArgumentException("A scope is empty.", nameof(scopes));

        var signing = await keys.FindAsync(environment, fresh: false, cancellationToken);
        if (signing is { Keys: [], IsNew: false }) signing = await keys.FindAsync(environment, fresh: true, cancellationToken);
        if (signing.Keys is not [var key, ..])
            throw new InvalidOperationException($"The environment {environment} has no secret key that could sign a token.");

        var now = clock.GetUtcNow();
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds((now + lifetime).ToUnixTimeSeconds());
        var id = TokenIds.Make(expiresAt);
        var issuedAt = (await revocations.FindAsync(environment, cancellationToken)).FirstValid(now);
        var token = TokenText.Make(TokenClaims.Write(environment, scopes, id, issuedAt, expiresAt), key.Secret);
        if (token.Length > TokenText.MaxLength)
            throw new ArgumentException($"The token would be {token.Length} characters long; at most {TokenText.MaxLength} are allowed.", nameof(scopes));
        telemetry.RecordIssuedToken();
        LogIssued(id, environment, by, expiresAt, scopes);
        return new IssuedToken(token, id, expiresAt);
    }

    private async ValueTask<KeyMark?> FindSignerAsync(TokenText text, EnvironmentId environment, CancellationToken cancellationToken)
    {
        var known = await keys.FindNamedAsync(environment, cancellationToken);
        var signer = FindSigner(text, known.Keys);
        if (signer is not null || known.IsNew) return signer;

        // Perhaps with a key that was added since.
        var (now, areNew) = await keys.FindAsync(environment, fresh: true, cancellationToken);
        return areNew ? FindSigner(text, now) : null;
    }

    private static KeyMark? FindSigner(TokenText text, SigningKey[] keys)
    {
        foreach (var key in keys)
            if (text.IsSignedWith(key.Secret)) return key.Mark;
        return null;
    }

    // There may be one for each view of a page: no matter for every log.
    [LoggerMessage(EventId = 1444, Level = LogLevel.Debug, Message = "The access token {Token} of {Environment} was issued by {By}, until {Until:O}, for {Scopes}")]
    private partial void LogIssued(string token, EnvironmentId environment, string by, DateTimeOffset until, IReadOnlyList<string> scopes);
}
