using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What ending a run came to.</summary>
public abstract record CompleteOutcome
{
    private CompleteOutcome()
    {
    }

    /// <summary>The run has ended, now or before with the same outcome.</summary>
    public sealed record Completed(Run Run) : CompleteOutcome;

    /// <summary>There is no such run, it ended otherwise, it was claimed again, or what it gave cannot be kept.</summary>
    public sealed record Refused(Refusal Refusal) : CompleteOutcome;
}
