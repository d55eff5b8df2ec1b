using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Which runs to list.</summary>
/// <param name="Status">Only those of this status.</param>
/// <param name="Tag">Only those with this tag.</param>
/// <param name="TaskId">Only those of this task.</param>
/// <param name="Cursor">Where the last page ended.</param>
/// <param name="Limit">At most so many, 1 to 200.</param>
public sealed record RunQuery(RunStatus? Status, string? Tag, string? TaskId, string? Cursor, int Limit);
