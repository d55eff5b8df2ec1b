using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Setup;

/// <summary>Healthy when the database answers.</summary>
internal sealed class RegistryHealthCheck(RegistryDatabase database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await database.ReadAsync("check", (registry, token) => registry.Environments.AnyAsync(token), cancellationToken);
            return HealthCheckResult.Healthy(database.Provider.Place);
        }
        catch (RegistryUnavailableException exception)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception);
        }
    }
}
