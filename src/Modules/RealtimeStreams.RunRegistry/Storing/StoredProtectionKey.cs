namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>protection_keys</c>: a part of data protection's key ring, as it wants it kept.</summary>
internal sealed class StoredProtectionKey
{
    /// <summary>The name that data protection gives it, which it never gives twice.</summary>
    public required string Name { get; init; }

    public required string Xml { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}
