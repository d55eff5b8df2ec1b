namespace RealtimeStreams.ChunkLog;

/// <summary>What an acknowledgement is worth, read from the broker's configuration.</summary>
/// <param name="Name">For example <c>process+200ms</c>, <c>replicated</c>, <c>fsync</c>.</param>
/// <param name="Replicas">On how many brokers a record is kept.</param>
/// <param name="SyncInterval">How long the broker may wait before it forces a record to disk; zero: before it acknowledges; null: the broker does not tell.</param>
/// <param name="Description">For people: what can be lost, and when.</param>
public sealed record DurabilityClass(string Name, int Replicas, TimeSpan? SyncInterval, string Description);
