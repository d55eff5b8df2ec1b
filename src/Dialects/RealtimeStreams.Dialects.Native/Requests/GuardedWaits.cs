using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Http;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Requests;

/// <summary>Answers requests that may last: no longer than their client is there, their credential is valid, and the server runs.</summary>
internal sealed class GuardedWaits(ICredentials credentials, IHostApplicationLifetime lifetime)
{
    /// <param name="context">The request.</param>
    /// <param name="caller">Whose it is.</param>
    /// <param name="answer">Answers it. Its token is cancelled when it has lasted long enough.</param>
    /// <param name="refuse">Tells that the credential is none any more, where nothing of an answer has been sent. Otherwise that is <paramref name="answer"/>'s to tell.</param>
    /// <exception cref="OperationCanceledException">The client has gone, or the server stops.</exception>
    public async Task<TAnswer> AnswerAsync<TAnswer>(
        HttpContext context, Caller caller, Func<IAccessWatch, CancellationToken, Task<TAnswer>> answer, Func<ProblemResult, TAnswer> refuse)
    {
        using var watch = credentials.Watch(caller.Credential);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, watch.Ended);
        try
        {
            return await answer(watch, ending.Token);
        }
        catch (OperationCanceledException) when (watch.End is not null && !context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            return refuse(Gate.Unauthorized(context, Gate.Ended));
        }
    }
}
