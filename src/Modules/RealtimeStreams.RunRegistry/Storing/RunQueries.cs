using Microsoft.EntityFrameworkCore;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>Queries that several ideas share.</summary>
internal static class RunQueries
{
    /// <summary>A run with what it was given and gave.</summary>
    public static async Task<Run?> FindRunAsync(
        this RegistryDatabase database, EnvironmentId environment, RunId run, CancellationToken cancellationToken)
    {
        var found = await database.ReadAsync("find", (context, token) => context.LivingRuns
            .Where(row => row.Environment == environment.Value && row.Id == run.Value)
            .LeftJoin(
                context.RunData,
                row => new { row.Environment, Run = row.Id },
                data => new { data.Environment, data.Run },
                (row, data) => new { Row = row, Data = data })
            .SingleOrDefaultAsync(token), cancellationToken);
        return found?.Row.ToRun(found.Data);
    }
}
