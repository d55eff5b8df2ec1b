using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry.Admitting;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.Counting;

/// <summary>Decides whether an environment may have one more open run, hidden ones included. Whoever makes a run's row asks here first.</summary>
/// <remarks>
/// No row is counted up by all who register, and no run is counted for each: a server counts by an index of the open runs alone, now and then, while it registers
/// (<see cref="OpenRunCount"/>). So one server keeps to the limit exactly, and with several an environment exceeds it by what the others add between two counts of one.
/// There is an entry for each environment that runs were registered in, which operators make.
/// </remarks>
internal sealed partial class OpenRunLimit(
    RegistryDatabase database, RunLimitsRule limits, RegistryTelemetry telemetry, TimeProvider clock, ILogger<OpenRunLimit> logger)
{
    public const string Name = "maxOpenRuns";

    private readonly ConcurrentDictionary<EnvironmentId, OpenRunCount> counts = new();
    private volatile bool isBlind;

    /// <summary>Has a run's row made, where there is room for it.</summary>
    /// <param name="environment">The tenant.</param>
    /// <param name="insert">Makes the row, and says whether it did.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether the row was made, or why there is no room.</returns>
    public async Task<(bool Made, Refusal? Limit)> InsertAsync(
        EnvironmentId environment, Func<CancellationToken, Task<bool>> insert, CancellationToken cancellationToken)
    {
        var count = counts.GetOrAdd(environment, static (_, clock) => new OpenRunCount(clock), clock);
        while (true)
        {
            var most = limits.MaxOpenRunsOf(environment);
            if (count.IsDue(most)) await CountInTurnAsync(environment, count, most, cancellationToken);
            if (count.TryTake(most)) break;
            if (!count.IsDue(most)) return (false, Refuse(environment, most));
        }
        var isAdded = true; // Also where nobody knows.
        try
        {
            return (isAdded = await insert(cancellationToken), null);
        }
        finally
        {
            count.Settle(isAdded);
        }
    }

    /// <summary>A run has ended or was erased.</summary>
    public void NoteRoom(EnvironmentId environment)
    {
        if (counts.TryGetValue(environment, out var count)) count.NoteRoom();
    }

    /// <summary>An environment's open runs, in the words of the index <c>runs_open</c>.</summary>
    public static IQueryable<StoredRun> Open(RegistryContext context, EnvironmentId environment) =>
        context.LivingRuns
            .Where(row => row.Environment == environment.Value && row.Status == RunStatus.Open && row.Kind >= RunKind.Ordinary)
            .OrderBy(row => row.Environment); // They all have the same, so nothing is sorted; EF Core warns of taking some of what has no order.

    private async Task CountInTurnAsync(EnvironmentId environment, OpenRunCount count, int most, CancellationToken cancellationToken)
    {
        await count.Turn.WaitAsync(cancellationToken);
        try
        {
            if (!count.IsDue(most)) return; // Somebody else has counted meanwhile.
            await count.WhenSettledAsync(most).WaitAsync(cancellationToken);
            await CountAsync(environment, count, most);
        }
        finally
        {
            count.Turn.Release();
        }
    }

    /// <summary>Counts, whether or not whoever asked still waits: others wait too, and the next would only begin again.</summary>
    private async Task CountAsync(EnvironmentId environment, OpenRunCount count, int most)
    {
        count.Begin();
        try
        {
            count.End(await database.ReadAsync("count_open_runs", (context, token) => Open(context, environment).Take(most).CountAsync(token), CancellationToken.None), most);
            isBlind = false;
        }
        catch (RegistryUnavailableException exception)
        {
            // Who registers is not held up by a count: if the database is gone, making the row says so.
            count.GiveUp();
            if (!isBlind) LogUncounted(environment, exception);
            isBlind = true;
        }
        catch
        {
            count.GiveUp();
            throw;
        }
    }

    private Refusal Refuse(EnvironmentId environment, int most)
    {
        telemetry.RecordRefusedLimit(Name);
        return new Refusal(ErrorCode.LimitReached, string.Create(
            CultureInfo.InvariantCulture,
            $"The limit {Name} of the environment {environment} is {most}, and it is reached: so many of its runs, and of its streams outside of runs, are open. Complete or erase some first."));
    }

    [LoggerMessage(EventId = 1471, Level = LogLevel.Warning,
        Message = "Could not count the open runs of {Environment}; until it succeeds, its limit counts what this server has added and what was known before")]
    private partial void LogUncounted(EnvironmentId environment, Exception exception);
}
