namespace RealtimeStreams.RunRegistry;

/// <summary>A name that what a caller asks for goes by.</summary>
/// <param name="Type">Its kind, for example <c>runs</c>, <c>tasks</c>, <c>tags</c>, <c>batch</c>, <c>inputStreams</c>, <c>streams</c>.</param>
/// <param name="Id">Which of them; null for all of the kind, which only a scope without an id allows.</param>
public readonly record struct AccessResource(string Type, string? Id);
