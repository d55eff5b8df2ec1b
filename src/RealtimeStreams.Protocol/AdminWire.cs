namespace RealtimeStreams.Protocol;

/// <summary>Body of <c>POST /api/v1/admin/environments</c>.</summary>
/// <param name="Id">The environment's id, 1 to 64 bytes.</param>
public sealed record CreateEnvironment(string? Id = null);

/// <summary>An environment, as operators are told it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ValidKeys">How many secret keys open it now.</param>
/// <param name="Settings">What was set for it, by name (docs/environments.md); what is not here is as the server's own settings say.</param>
public sealed record EnvironmentInfo(string Id, DateTimeOffset CreatedAt, int ValidKeys, IReadOnlyDictionary<string, long> Settings);

/// <summary>Answer of <c>GET /api/v1/admin/environments</c>.</summary>
/// <param name="Environments">The environments, by id.</param>
public sealed record EnvironmentList(IReadOnlyList<EnvironmentInfo> Environments);

/// <summary>A secret key, as operators are told it: never the key.</summary>
/// <param name="Id">What it is called.</param>
/// <param name="Prefix">Its first characters, where they are known.</param>
/// <param name="Origin"><c>configured</c> (by the server's settings), <c>made</c> (by a server for itself) or <c>issued</c> (to an operator).</param>
/// <param name="Valid">Whether it opens its environment now.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="RotatedAt">When another key took its place, if one did.</param>
/// <param name="ExpiresAt">From when on it opens nothing, if it expires.</param>
/// <param name="RevokedAt">When it was revoked, if it was.</param>
public sealed record SecretKeyInfo(
    string Id,
    string? Prefix,
    string Origin,
    bool Valid,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RotatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt);

/// <summary>Answer of <c>GET /api/v1/admin/environments/{environmentId}/keys</c>.</summary>
/// <param name="Keys">The keys, oldest first, with those that are not valid any more.</param>
public sealed record SecretKeyList(IReadOnlyList<SecretKeyInfo> Keys);

/// <summary>Body of <c>POST /api/v1/admin/environments/{environmentId}/keys/{keyId}/rotate</c>.</summary>
/// <param name="OverlapInSeconds">For how long the old key stays valid, 0 to 7,776,000 (90 days). 3,600 when absent.</param>
public sealed record RotateSecretKey(long? OverlapInSeconds = null);

/// <summary>A new secret key. The only answer that ever holds it.</summary>
/// <param name="Environment">The environment that it opens.</param>
/// <param name="SecretKey">The key itself. Keep it now: it is never told again.</param>
/// <param name="Key">What is told of it from now on.</param>
/// <param name="Replaced">The key in whose place it is, after a rotation.</param>
public sealed record MadeSecretKey(string Environment, string SecretKey, SecretKeyInfo Key, SecretKeyInfo? Replaced)
{
    /// <summary>Without the key.</summary>
    public override string ToString() => $"{nameof(MadeSecretKey)} {Key.Id} of {Environment}";
}
