namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>secret_keys</c>. The key itself is stored only as data protection encrypts it.</summary>
internal sealed class StoredSecretKey
{
    public required string Environment { get; init; }

    /// <summary>SHA-256 of the key's UTF-8. Keys are random, so that neither salt nor a slow hash would add anything.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>The key, encrypted: public access tokens are signed with it. Null in rows from before that, until the key is seen again.</summary>
    public string? Ciphertext { get; init; }

    public SecretKeyOrigin Origin { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Where a secret key came from. The numbers are stored.</summary>
internal enum SecretKeyOrigin
{
    /// <summary>From <see cref="RunRegistryOptions.SecretKey"/>; replaced when that changes.</summary>
    Configured = 1,

    /// <summary>Made at a server's first start, and kept in its data directory.</summary>
    Made = 2,
}
