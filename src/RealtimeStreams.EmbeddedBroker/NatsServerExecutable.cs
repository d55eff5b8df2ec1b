namespace RealtimeStreams.EmbeddedBroker;

/// <summary>A nats-server that runs on this machine.</summary>
/// <param name="Path">The executable's full path.</param>
/// <param name="Version">What it said its version is.</param>
public sealed record NatsServerExecutable(string Path, Version Version);
