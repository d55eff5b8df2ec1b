using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What a list came to.</summary>
public abstract record RunListOutcome
{
    private RunListOutcome()
    {
    }

    /// <summary>A page.</summary>
    /// <param name="Runs">The runs, newest first.</param>
    /// <param name="NextCursor">Where the next page begins; null on the last.</param>
    public sealed record Listed(IReadOnlyList<Run> Runs, string? NextCursor) : RunListOutcome;

    /// <summary>The cursor is none, or the limit is out of range.</summary>
    public sealed record Refused(Refusal Refusal) : RunListOutcome;
}
