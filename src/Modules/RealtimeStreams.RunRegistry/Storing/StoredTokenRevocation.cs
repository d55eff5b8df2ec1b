namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>A row of <c>token_revocations</c>: one token, or all that were made until some second. Rows are added and removed, never changed.</summary>
internal sealed class StoredTokenRevocation
{
    public required string Environment { get; init; }

    /// <summary>The token's id; in a row for all tokens a random name.</summary>
    public required string Token { get; init; }

    /// <summary>The last second whose tokens are revoked; null in the row of a single token.</summary>
    public DateTimeOffset? MadeUntil { get; init; }

    /// <summary>When the token would have expired and the row can go; null in a row for all, which stays until a later one is there.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
}
