using System.Numerics;
using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Settings;

namespace RealtimeStreams.RunRegistry.Admitting;

/// <summary>Which limits are in force: the version's, at most the environment's, at most the server's.</summary>
internal sealed class RunLimitsRule(
    KnownSettings settings, IOptions<RunRegistryOptions> options, IOptions<V1RunLimitsOptions> old, IOptions<V2RunLimitsOptions> current) : IRunLimits
{
    private readonly RunLimits v1 = new(
        Math.Min(old.Value.MaxStreamBytes, options.Value.MaxStreamBytes), old.Value.MaxChunks, old.Value.MaxStreams, old.Value.MaxActiveStreams, old.Value.MaxRunBytes);

    private readonly RunLimits v2 = new(
        options.Value.MaxStreamBytes, current.Value.MaxChunks, current.Value.MaxStreams, current.Value.MaxActiveStreams, current.Value.MaxRunBytes);

    public RunLimits Of(EnvironmentId environment, StreamsVersion version)
    {
        var (set, all) = (settings.Find(environment), Of(version));
        return new RunLimits(
            Math.Min(all.MaxStreamBytes, set.MaxStreamBytes ?? long.MaxValue),
            Lower(all.MaxChunks, set.MaxChunks),
            Lower(all.MaxStreams, set.MaxStreams),
            Lower(all.MaxActiveStreams, set.MaxActiveStreams),
            Lower(all.MaxRunBytes, set.MaxRunBytes));
    }

    /// <summary>The limits of a version's runs wherever nothing else is set.</summary>
    public RunLimits Of(StreamsVersion version) => version == StreamsVersion.V1 ? v1 : v2;

    /// <summary>The most runs of an environment that are open: its own, at most the server's.</summary>
    public int MaxOpenRunsOf(EnvironmentId environment) => Math.Min(options.Value.MaxOpenRuns, settings.Find(environment).MaxOpenRuns ?? int.MaxValue);

    private static T? Lower<T>(T? one, T? other)
        where T : struct, INumber<T> =>
        one is { } number && other is { } limit ? T.Min(number, limit) : one ?? other;
}
