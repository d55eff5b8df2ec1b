using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

internal static class ListRuns
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    public static async Task<Results<JsonHttpResult<RunPage>, ProblemResult>> HandleAsync(
        Caller caller, string? status, string? tag, string? taskId, string? cursor, string? limit, IRunRegistry registry, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var most = DefaultLimit;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out most) || most is < 1 or > MaxLimit))
            return Problems.From(ErrorCode.InvalidRequest, $"The parameter limit must be a number from 1 to {MaxLimit}.", "limit");
        if (!TryParse(status, out var only))
            return Problems.From(ErrorCode.InvalidRequest, "The parameter status must be open, completed, failed or cancelled.", "status");
        var now = clock.GetUtcNow();
        return await registry.ListAsync(caller.Environment, new RunQuery(only, tag, taskId, cursor, most), cancellationToken) switch
        {
            RunListOutcome.Listed page =>
                Answers.Json(new RunPage([.. page.Runs.Select(run => run.Tell(now))], page.NextCursor), WireJson.Contracts.RunPage),
            RunListOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }

    private static bool TryParse(string? word, out RunStatus? status)
    {
        status = word switch
        {
            "open" => RunStatus.Open,
            "completed" => RunStatus.Completed,
            "failed" => RunStatus.Failed,
            "cancelled" => RunStatus.Cancelled,
            _ => null,
        };
        return status is not null || word is null;
    }
}
