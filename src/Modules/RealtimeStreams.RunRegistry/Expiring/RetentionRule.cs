using Microsoft.Extensions.Options;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Settings;

namespace RealtimeStreams.RunRegistry.Expiring;

/// <summary>Which retention is in force: the run's own, else its version's; at most the environment's, at most the server's.</summary>
internal sealed class RetentionRule(KnownSettings settings, IOptions<RunRegistryOptions> options, IOptions<V1RetentionOptions> v1) : IRetention
{
    public TimeSpan Of(EnvironmentId environment) => Shorter(settings.Find(environment).Retention ?? options.Value.Retention, options.Value.Retention);

    public TimeSpan Of(EnvironmentId environment, Run run) => Of(environment, run.StreamsVersion, SecondsOf(run.Retention));

    public TimeSpan Of(EnvironmentId environment, StreamsVersion version, int? own)
    {
        var most = Of(environment);
        if (own is { } seconds) return Shorter(TimeSpan.FromSeconds(seconds), most);
        return version == StreamsVersion.V1 ? Shorter(v1.Value.Retention, most) : most;
    }

    /// <summary>Why a run cannot have a retention, whatever its environment's; null when it can.</summary>
    public static Refusal? FindFault(TimeSpan? retention) =>
        retention is { } asked && (asked < IRetention.Shortest || asked.Ticks % TimeSpan.TicksPerSecond != 0 || asked.TotalSeconds > int.MaxValue)
            ? new Refusal(ErrorCode.InvalidRequest, $"retentionInSeconds must be a whole number of at least {IRetention.Shortest.TotalSeconds}.")
            : null;

    /// <summary>Why a run of an environment cannot have a retention; null when it can.</summary>
    public Refusal? FindExcess(EnvironmentId environment, TimeSpan? retention) =>
        retention is { } asked && Of(environment) is var most && asked > most
            ? new Refusal(ErrorCode.InvalidRequest, $"retentionInSeconds is {(long)asked.TotalSeconds}; in this environment at most {(long)most.TotalSeconds} are allowed.")
            : null;

    public static int? SecondsOf(TimeSpan? retention) => (int?)retention?.TotalSeconds;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
