using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Notes that the run's worker has seen that it shall stop.</summary>
internal static class SeeStop
{
    private const int MaxBodyBytes = 4 * 1024;

    public static async Task<Results<JsonHttpResult<StopReceipt>, ProblemResult>> HandleAsync(
        HttpContext context, RunPath path, IRunStops stops, StopTexts texts, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.SeeStop, new Protocol.SeeStop(), MaxBodyBytes);
        if (problem is not null) return problem;
        if (body!.Worker is null) return Problems.From(ErrorCode.InvalidRequest, "The field worker is missing.", "worker");
        return await stops.AcknowledgeAsync(path.Environment, path.Run, body.Worker, body.Attempt, cancellationToken) switch
        {
            StopOutcome.Told told => Answers.Json(await texts.TellAsync(path.Environment, told.Run, cancellationToken), WireJson.Contracts.StopReceipt),
            StopOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }
}
