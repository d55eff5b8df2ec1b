using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a claim came to.</summary>
public abstract record ClaimOutcome
{
    private ClaimOutcome()
    {
    }

    /// <summary>A run, with its payload. <see cref="Run.Attempt"/> numbers the claim.</summary>
    public sealed record Claimed(Run Run) : ClaimOutcome;

    /// <summary>No run of these tasks waits.</summary>
    public sealed record Nothing : ClaimOutcome;

    /// <summary>The request is not valid.</summary>
    public sealed record Refused(Refusal Refusal) : ClaimOutcome;
}

/// <summary>What renewing a claim came to.</summary>
public abstract record RenewOutcome
{
    private RenewOutcome()
    {
    }

    /// <summary>The claim holds until then.</summary>
    public sealed record Renewed(Run Run, DateTimeOffset LeaseUntil) : RenewOutcome;

    /// <summary>There is no such run, it has ended, it was claimed again (<see cref="ErrorCode.ClaimLost"/>), or the request is not valid.</summary>
    public sealed record Refused(Refusal Refusal) : RenewOutcome;
}
