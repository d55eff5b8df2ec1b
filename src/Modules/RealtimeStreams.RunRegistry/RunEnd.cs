using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>How a run ends.</summary>
/// <param name="Outcome">Completed, failed or cancelled.</param>
/// <param name="Error">What went wrong, at most 8,192 characters. What no database keeps as text is replaced by U+FFFD.</param>
public sealed record RunEnd(Outcome Outcome, string? Error = null)
{
    /// <summary>What the run gave, at most 1 MiB of UTF-8 without U+0000. Null: nothing.</summary>
    public string? Output { get; init; }

    /// <summary>The output's media type, 1 to 256 bytes.</summary>
    public string? OutputType { get; init; }

    /// <summary>The claim in whose name the run is ended: refused as <see cref="ErrorCode.ClaimLost"/> if the run was claimed again since. Null: whoever has it.</summary>
    public int? Attempt { get; init; }
}
