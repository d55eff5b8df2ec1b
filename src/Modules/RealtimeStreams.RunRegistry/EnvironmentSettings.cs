namespace RealtimeStreams.RunRegistry;

/// <summary>What an operator has set for one environment. Null: as the server's own settings say.</summary>
public sealed record EnvironmentSettings
{
    /// <summary>Nothing was set.</summary>
    public static readonly EnvironmentSettings None = new();

    /// <summary>How long a chunk stays readable, at least a minute. A server whose own retention is shorter keeps to its own.</summary>
    public TimeSpan? Retention { get; init; }
}
