using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Asks a run to stop. Asked again, the receipt of the first request is told.</summary>
internal static class StopRun
{
    private const int MaxBodyBytes = 16 * 1024; // 1,024 characters, each escaped.

    public static async Task<Results<JsonHttpResult<StopReceipt>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, RunPath path, IRunStops stops, StopTexts texts, CancellationToken cancellationToken)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, NativeJson.Default.StopRun, new Protocol.StopRun(), MaxBodyBytes);
        if (problem is not null) return problem;
        return await stops.RequestAsync(
            path.Environment, path.Run, body!.Reason, CredentialNames.NameOf(caller.Grant), caller.Credential.Name, cancellationToken) switch
        {
            StopOutcome.Told told => Answers.Json(await texts.TellAsync(path.Environment, told.Run, cancellationToken), WireJson.Contracts.StopReceipt),
            StopOutcome.Refused refused => Problems.From(refused.Refusal),
            _ => throw new UnreachableException(),
        };
    }
}
