using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry;

/// <summary>How many streams a run may have, by its streams version (the reference product's table of limits).</summary>
/// <param name="MaxStreams">In all; null for no limit.</param>
/// <param name="MaxActiveStreams">Not yet closed; null for no limit.</param>
public sealed record RunLimits(int? MaxStreams, int? MaxActiveStreams)
{
    private static readonly RunLimits V1 = new(MaxStreams: 10, MaxActiveStreams: 5);
    private static readonly RunLimits V2 = new(MaxStreams: null, MaxActiveStreams: null);

    /// <summary>The limits of a version.</summary>
    public static RunLimits Of(StreamsVersion version) => version == StreamsVersion.V1 ? V1 : V2;
}
