using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>Says which limits of runs and streams are in force: those of the run's streams version, and at most what is set for its environment.</summary>
public interface IRunLimits
{
    /// <summary>The limits of an environment's runs of a version, as they are now. From memory and without allocation: for every append. Servers follow a change within a second.</summary>
    RunLimits Of(EnvironmentId environment, StreamsVersion version);
}
