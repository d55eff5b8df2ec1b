using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Admitting;

/// <summary>How many streams a run may have.</summary>
/// <param name="Version">The streams version whose limits these are.</param>
/// <param name="MaxStreams">In all; null for no limit.</param>
/// <param name="MaxActiveStreams">Not yet closed; null for no limit.</param>
internal sealed record RunLimits(string Version, int? MaxStreams, int? MaxActiveStreams);

/// <summary>The limits of the streams versions.</summary>
internal sealed class RunLimitsTable(IOptions<V1RunLimitsOptions> old, IOptions<V2RunLimitsOptions> current)
{
    private readonly RunLimits v1 = new("v1", old.Value.MaxStreams, old.Value.MaxActiveStreams);
    private readonly RunLimits v2 = new("v2", current.Value.MaxStreams, current.Value.MaxActiveStreams);

    public RunLimits Of(StreamsVersion version) => version == StreamsVersion.V1 ? v1 : v2;
}
