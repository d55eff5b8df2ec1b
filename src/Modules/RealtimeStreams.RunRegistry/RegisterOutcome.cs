using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a registration came to.</summary>
public abstract record RegisterOutcome
{
    private RegisterOutcome()
    {
    }

    /// <summary>The run is there: made now, or before with the same content.</summary>
    public sealed record Registered(Run Run, bool New) : RegisterOutcome;

    /// <summary>Nothing was stored.</summary>
    public sealed record Refused(Refusal Refusal) : RegisterOutcome;
}
