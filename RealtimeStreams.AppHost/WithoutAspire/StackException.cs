namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>The stack cannot start or go on, for a reason that the person who started it can do something about.</summary>
internal sealed class StackException(string message) : Exception(message);
