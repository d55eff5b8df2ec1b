using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>Changes a stream's configuration, from the one that it has at that moment.</summary>
internal static class Reconfiguration
{
    // Somebody is faster each time: then the client is told to try again.
    private const int Attempts = 5;

    /// <param name="streams">The streams.</param>
    /// <param name="environment">The tenant.</param>
    /// <param name="found">The stream as last seen.</param>
    /// <param name="change">Makes the new configuration of the present one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The stream as it is then, and whether it was changed; null when it is gone, or changed by others all the time.</returns>
    public static async Task<(NamedStream? Stream, bool Changed)> ApplyAsync(
        INamedStreams streams, EnvironmentId environment, NamedStream found, Func<StreamConfig, StreamConfig> change, CancellationToken cancellationToken)
    {
        var expected = found;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var present = StreamConfig.Load(expected.Config);
            var wanted = change(present);
            if (wanted == present) return (expected, false);
            var config = wanted.Stored();
            if (await streams.ReconfigureAsync(environment, expected.Name, expected.Config, config, wanted.Age, cancellationToken) is not { } now) return (null, false);
            if (now.Config == config) return (now, true);
            expected = now;
        }
        return (null, false);
    }
}
