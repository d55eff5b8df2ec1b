using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Has a run erased, and answers with the receipt: 200 once all of it is gone, 202 while it may not be.</summary>
internal static class EraseRun
{
    public static async Task<Results<JsonHttpResult<ErasureReceipt>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, RunPath path, string? waitInSeconds, IErasures erasures, ICredentials credentials, IHostApplicationLifetime lifetime)
    {
        if (WaitParameter.FindFault(waitInSeconds, ErasureTexts.UsualWait, out var wait) is { } fault) return fault;
        // It was allowed when the request came, and goes on. What ends early is the wait for it: then the receipt says how far it is.
        using var watch = credentials.Watch(caller.Credential);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, watch.Ended);
        return await erasures.EraseAsync(path.Environment, path.Run, caller.Credential.Name, wait, ending.Token) is { } erasure
            ? ErasureTexts.Answer(context, erasure)
            : Problems.From(RunTexts.NotFound(path.Run));
    }
}
