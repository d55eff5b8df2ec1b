using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>What making a named stream came to.</summary>
public abstract record NamedStreamOutcome
{
    private NamedStreamOutcome()
    {
    }

    /// <summary>The stream is there: made now, or before by the same request (or by anybody, where that was asked for).</summary>
    public sealed record Made(NamedStream Stream, bool New) : NamedStreamOutcome;

    /// <summary>The name has a stream that another request made.</summary>
    public sealed record Taken(NamedStream Stream) : NamedStreamOutcome;

    /// <summary>The name cannot be one, something is too long, or there are too many. Nothing was stored.</summary>
    public sealed record Refused(Refusal Refusal) : NamedStreamOutcome;
}
