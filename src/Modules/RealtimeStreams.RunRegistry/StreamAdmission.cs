using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Whether a stream may be written.</summary>
public abstract record StreamAdmission
{
    private StreamAdmission()
    {
    }

    /// <summary>It may, within the run's limits (<see cref="IRunLimits"/>).</summary>
    /// <param name="Version">The run's streams version.</param>
    /// <param name="Usage">Counts the bytes of the run: who writes takes room there. Null for a stream outside of runs, which has no such limit.</param>
    /// <param name="RegisteredAt">When the run was registered, which tells it from another that has its id after it was erased.</param>
    public sealed record Admitted(StreamsVersion Version, RunUsage? Usage = null, DateTimeOffset RegisteredAt = default) : StreamAdmission;

    /// <summary>It may not.</summary>
    public sealed record Refused(Refusal Refusal) : StreamAdmission;
}
