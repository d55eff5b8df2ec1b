namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>credential_version</c>: a number that grows with every change of its kind in any environment, so that servers notice by looking.</summary>
internal sealed class StoredCredentialVersion
{
    /// <summary>The row of secret keys and settings.</summary>
    public const int TheOne = 1;

    /// <summary>The row of revoked tokens. It is made by the set-up.</summary>
    public const int OfTokens = 2;

    public int Id { get; init; }

    public long Version { get; init; }
}
