using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What the registry keeps of a stream.</summary>
/// <param name="Key">The stream's key.</param>
/// <param name="CreatedAt">When it was first admitted.</param>
/// <param name="Outcome">How it ended; null while it is not marked closed.</param>
/// <param name="ClosedAt">When it was marked closed.</param>
public sealed record StreamRow(StreamKey Key, DateTimeOffset CreatedAt, Outcome? Outcome, DateTimeOffset? ClosedAt);
