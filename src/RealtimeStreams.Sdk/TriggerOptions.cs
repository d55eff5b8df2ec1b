using RealtimeStreams.Protocol;

namespace RealtimeStreams.Sdk;

/// <summary>How a run is triggered.</summary>
public sealed record TriggerOptions
{
    /// <summary>The run's id. Default: one that the client makes, so that a retry triggers no second run.</summary>
    public string? RunId { get; init; }

    /// <summary>With the task it names at most one run: triggering again with it finds that one. 1 to 2,048 bytes. Default: none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The run that started this one. Default: the run of the same client that is going on, if any.</summary>
    public string? ParentRunId { get; init; }

    /// <summary>The first run of the chain. Default: the parent's root.</summary>
    public string? RootRunId { get; init; }

    /// <summary>At most 32 tags of 1 to 128 bytes.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Default: <see cref="RealtimeStreamsClientOptions.StreamsVersion"/>.</summary>
    public StreamsVersion? StreamsVersion { get; init; }

    /// <summary>How long the run's chunks stay readable, in whole seconds: 1 minute to the environment's retention. Default: as the run's version and the environment say.</summary>
    public TimeSpan? Retention { get; init; }
}
