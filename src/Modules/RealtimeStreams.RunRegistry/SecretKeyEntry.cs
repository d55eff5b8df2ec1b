namespace RealtimeStreams.RunRegistry;

/// <summary>A secret key, as operators see it: everything but the key.</summary>
/// <param name="Id">What it is called, unique in its environment.</param>
/// <param name="Prefix">Its first characters; null when they are not known, because it has not been used since a version that kept none.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="RotatedAt">When another key took its place; null: none did.</param>
/// <param name="ExpiresAt">From when on it opens nothing; null: it does not expire.</param>
/// <param name="RevokedAt">When it was revoked; null: it was not.</param>
/// <param name="IsValid">Whether it opens its environment now.</param>
public sealed record SecretKeyEntry(
    string Id,
    string? Prefix,
    SecretKeyOrigin Origin,
    DateTimeOffset CreatedAt,
    DateTimeOffset? RotatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    bool IsValid);
