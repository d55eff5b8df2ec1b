namespace RealtimeStreams.Sdk;

/// <summary>How a host runs the tasks that were added by <c>AddRealtimeStreamsTask</c>.</summary>
/// <remarks>Bound from the configuration's section <see cref="Section"/>, thus also from environment variables such as
/// <c>RealtimeStreams__Worker__MaxConcurrentRuns</c>.</remarks>
public sealed class RealtimeStreamsWorkerOptions
{
    /// <summary>The configuration section that they are bound from.</summary>
    public const string Section = "RealtimeStreams:Worker";

    /// <summary>How many runs go on at once in this process, 1 to 1,000. Default: 10.</summary>
    public int MaxConcurrentRuns { get; set; } = 10;

    /// <summary>How long a claim holds unless it is renewed, which is done at a third of it; 1 second to 1 hour, in whole seconds. Default: 30 seconds.
    /// So long a run waits for another worker when this one dies.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long runs may go on once the host stops, 0 to 1 day. Default: 20 seconds. Then their tokens are cancelled and they are given back.
    /// The host's own shutdown timeout (30 seconds unless set otherwise) must be longer.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>What this worker is called, 1 to 256 bytes; must not be shared with another process. Default: the machine's name and a random text.</summary>
    public string? Worker { get; set; }
}
