using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Has a run erased, and answers with the receipt: 200 once all of it is gone, 202 while it may not be.</summary>
internal static class EraseRun
{
    public static async Task<Results<JsonHttpResult<ErasureReceipt>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, RunPath path, string? waitInSeconds, IErasures erasures, ICredentials credentials, CancellationToken cancellationToken)
    {
        if (WaitParameter.FindFault(waitInSeconds, ErasureTexts.UsualWait, out var wait) is { } fault) return fault;
        var by = await credentials.TellAsync(caller.Credential, cancellationToken);
        return await erasures.EraseAsync(path.Environment, path.Run, by, wait, cancellationToken) is { } erasure
            ? ErasureTexts.Answer(context, erasure)
            : Problems.From(RunTexts.NotFound(path.Run));
    }
}
