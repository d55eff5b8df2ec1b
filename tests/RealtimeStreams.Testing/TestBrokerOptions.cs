namespace RealtimeStreams.Testing;

/// <summary>What a <see cref="TestBroker"/> may be told.</summary>
public sealed record TestBrokerOptions
{
    /// <summary>The largest message in bytes. Default: 2 MiB, as of the embedded broker.</summary>
    public int MaxPayload { get; init; } = 2 * 1024 * 1024;

    /// <summary>How often files are flushed to the disk: a Go duration, or <c>always</c>. Default: 200 ms, as of the embedded broker.</summary>
    public string SyncInterval { get; init; } = "200ms";

    /// <summary>Further lines for the server's configuration file.</summary>
    public string MoreConfiguration { get; init; } = "";
}
