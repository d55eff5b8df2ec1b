using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Ingest.Tests;

/// <summary>The same limits for all runs: those of version 2, unless told otherwise.</summary>
internal sealed class SetLimits : IRunLimits
{
    public RunLimits Value { get; set; } = new(300L * 1024 * 1024, null, null, null);

    public RunLimits Of(EnvironmentId environment, StreamsVersion version) => Value;
}
