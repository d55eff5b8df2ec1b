using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What asking a run to stop, or saying that it was seen, came to.</summary>
public abstract record StopOutcome
{
    private StopOutcome()
    {
    }

    /// <summary>The run as it stands now, with <see cref="Run.Stop"/>; without that it had ended before anybody asked.</summary>
    public sealed record Told(Run Run) : StopOutcome;

    /// <summary>There is no such run, nobody has asked it to stop (<see cref="ErrorCode.StopNotRequested"/>), the claim was lost, or the request is not valid.</summary>
    public sealed record Refused(Refusal Refusal) : StopOutcome;
}
