namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>The one row of <c>credential_version</c>: a number that grows with every change of any environment's keys, so that servers notice by looking.</summary>
internal sealed class StoredCredentialVersion
{
    /// <summary>The row's id.</summary>
    public const int TheOne = 1;

    public int Id { get; init; }

    public long Version { get; init; }
}
