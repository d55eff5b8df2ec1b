namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>environments</c>.</summary>
internal sealed class StoredEnvironment
{
    public required string Id { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>What an operator has set for it, as one JSON object; null: nothing.</summary>
    public string? Settings { get; init; }
}
