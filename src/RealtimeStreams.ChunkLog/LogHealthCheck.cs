using Microsoft.Extensions.Diagnostics.HealthChecks;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog;

/// <summary>Healthy when the broker answers for a shard, which is what an append needs.</summary>
internal sealed class LogHealthCheck(JetStreamChunkLog log) : IHealthCheck
{
    private static readonly SubjectMap Probe =
        SubjectMap.Of(new StreamAddress(EnvironmentId.Parse("health"), RunId.Parse("probe"), StreamKey.Default));

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (log.Session is not { } session) return new HealthCheckResult(context.Registration.FailureStatus, "The log has not started yet: the broker is not there.");
        if (!session.IsConnected) return new HealthCheckResult(context.Registration.FailureStatus, "The broker is not connected.");
        try
        {
            await session.Gets.FindLastAsync(Probe, cancellationToken);
            var durability = session.Durability;
            return HealthCheckResult.Healthy(durability.Description, new Dictionary<string, object>
            {
                ["durability"] = durability.Name,
                ["replicas"] = durability.Replicas,
                ["syncInterval"] = durability.SyncInterval?.ToString("c") ?? "unknown",
                ["maxChunkBytes"] = session.MaxChunkBytes,
            });
        }
        catch (LogUnavailableException exception)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message);
        }
    }
}
