namespace RealtimeStreams.ChunkLog;

/// <summary>Tells where the broker is. Asked once at start; its answer may have to wait for a broker that is being started.</summary>
public interface IBrokerLocation
{
    /// <summary>Finds the broker.</summary>
    ValueTask<BrokerLocation> GetAsync(CancellationToken cancellationToken);
}

/// <summary>Where a broker is.</summary>
/// <param name="Url">NATS URLs, comma-separated, with credentials if needed. Never logged.</param>
/// <param name="Monitoring">The address of its HTTP monitoring, from which its durability is read; null: unknown.</param>
public sealed record BrokerLocation(string Url, Uri? Monitoring);
