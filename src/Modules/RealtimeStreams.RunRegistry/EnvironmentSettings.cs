namespace RealtimeStreams.RunRegistry;

/// <summary>What an operator has set for one environment. Null: as the server's own settings say.</summary>
public sealed record EnvironmentSettings
{
    /// <summary>Nothing was set.</summary>
    public static readonly EnvironmentSettings None = new();

    /// <summary>How long a chunk stays readable, at least a minute. A server whose own retention is shorter keeps to its own.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>The most bytes of a stream. A server, or a streams version, whose own limit is lower keeps to its own; so of the next four.</summary>
    public long? MaxStreamBytes { get; init; }

    /// <summary>The most chunks of a stream, those that expired included.</summary>
    public long? MaxChunks { get; init; }

    /// <summary>The most streams of a run in all.</summary>
    public int? MaxStreams { get; init; }

    /// <summary>The most streams of a run that have not ended.</summary>
    public int? MaxActiveStreams { get; init; }

    /// <summary>The most bytes of all streams of a run together, those that expired included.</summary>
    public long? MaxRunBytes { get; init; }

    /// <summary>The most runs that are open, with streams outside of runs. A server whose own limit is lower keeps to its own.</summary>
    public int? MaxOpenRuns { get; init; }

    /// <summary>How many requests it may send a second, on average. Counted by each server process.</summary>
    public int? RequestsPerSecond { get; init; }

    /// <summary>How many requests it may send at once before the average counts. Counted by each server process.</summary>
    public int? RequestBurst { get; init; }

    /// <summary>How many of its requests may be answered at the same time, beside live reads and open bodies. Counted by each server process.</summary>
    public int? ConcurrentRequests { get; init; }

    /// <summary>How many live reads it may have. Counted by each server process.</summary>
    public int? Readers { get; init; }

    /// <summary>How many open-ended bodies and sessions of appends it may have. Counted by each server process.</summary>
    public int? OpenBodies { get; init; }

    /// <summary>How many requests may come with one public token a second, on average. Counted by each server process.</summary>
    public int? TokenRequestsPerSecond { get; init; }

    /// <summary>How many requests may come with one public token at once before the average counts. Counted by each server process.</summary>
    public int? TokenRequestBurst { get; init; }

    /// <summary>How many requests with one public token may be answered at the same time, beside live reads and open bodies. Counted by each server process.</summary>
    public int? TokenConcurrentRequests { get; init; }

    /// <summary>How many live reads one public token may have. Counted by each server process.</summary>
    public int? TokenReaders { get; init; }

    /// <summary>How many open-ended bodies and sessions of appends one public token may have. Counted by each server process.</summary>
    public int? TokenOpenBodies { get; init; }
}
