namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>named_streams</c>: a name, and the hidden run that its chunks hang on.</summary>
internal sealed class StoredNamedStream
{
    public required string Environment { get; init; }

    public required string Name { get; init; }

    public required string Run { get; init; }

    public required string Config { get; init; }

    /// <summary>Of the request that made it, so that its repeat is recognised.</summary>
    public string? RequestToken { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}
