namespace RealtimeStreams.RunRegistry;

/// <summary>Somebody has asked a run to stop. What it says never changes, except that it becomes seen. Times are UTC, in whole microseconds.</summary>
/// <param name="RequestedAt">When.</param>
/// <param name="Reason">Why, in the words of who asked.</param>
/// <param name="By">With what kind of credential.</param>
/// <param name="SeenAt">When the run's worker said that it knows; null while it has not.</param>
/// <param name="SeenBy">The worker that said so first.</param>
public sealed record StopRequest(DateTimeOffset RequestedAt, string? Reason, string? By, DateTimeOffset? SeenAt, string? SeenBy);
