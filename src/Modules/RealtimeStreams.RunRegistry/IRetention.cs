using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>How long chunks stay readable, counted from when they were admitted. A stream's is that of its run.</summary>
public interface IRetention
{
    /// <summary>The shortest that a run can ask for: 1 minute.</summary>
    static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <summary>The longest in an environment: what its operator set, at most the server's own.</summary>
    TimeSpan Of(EnvironmentId environment);

    /// <summary>What is in force for a run now: its own, else its streams version's; at most the environment's.</summary>
    TimeSpan Of(EnvironmentId environment, Run run);
}
