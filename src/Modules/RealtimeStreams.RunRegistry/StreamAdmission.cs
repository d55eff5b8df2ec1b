using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Whether a stream may be written.</summary>
public abstract record StreamAdmission
{
    private StreamAdmission()
    {
    }

    /// <summary>It may, within the limits of the run's version.</summary>
    public sealed record Admitted(StreamsVersion Version) : StreamAdmission;

    /// <summary>It may not.</summary>
    public sealed record Refused(Refusal Refusal) : StreamAdmission;
}
