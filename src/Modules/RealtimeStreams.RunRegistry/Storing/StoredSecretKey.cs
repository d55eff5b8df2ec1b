namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>secret_keys</c>. The key itself is stored only as data protection encrypts it. A key that is not valid any more leaves its row behind.</summary>
internal sealed class StoredSecretKey
{
    public required string Environment { get; init; }

    /// <summary>SHA-256 of the key's UTF-8. Keys are random, so that neither salt nor a slow hash would add anything.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>What operators call it: random, so that it tells nothing of the key.</summary>
    public required string Id { get; init; }

    /// <summary>The key's first characters, for people who look for the one in their hands; null in rows from before that, until the key is seen again.</summary>
    public string? Prefix { get; init; }

    /// <summary>The key, encrypted: public access tokens are signed with it. Null in rows from before that, until the key is seen again, and once it is revoked.</summary>
    public string? Ciphertext { get; init; }

    public SecretKeyOrigin Origin { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When another key took its place, if one did.</summary>
    public DateTimeOffset? RotatedAt { get; init; }

    /// <summary>From when on it opens nothing; null: it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Whether it opens its environment at this time.</summary>
    public bool IsValidAt(DateTimeOffset time) => RevokedAt is null && !(ExpiresAt <= time);
}
