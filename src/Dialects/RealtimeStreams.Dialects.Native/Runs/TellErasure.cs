using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Tells the receipt of an erasure, or waits until it is done.</summary>
internal static class TellErasure
{
    public const string IdParameter = "erasureId";

    /// <summary>Any server may end it, so that the row is looked at again and again.</summary>
    private static readonly TimeSpan interval = TimeSpan.FromMilliseconds(250);

    public static async Task<Results<JsonHttpResult<ErasureReceipt>, ProblemResult>> HandleAsync(
        HttpContext context, Caller caller, string erasureId, string? waitInSeconds,
        IErasures erasures, GuardedWaits waits, RequestLimits limits, TimeProvider clock)
    {
        if (WaitParameter.FindFault(waitInSeconds, TimeSpan.Zero, out var wait) is { } fault) return fault;
        if (wait > TimeSpan.Zero && limits.BecomeReader(context) is { } full) return Problems.From(full);
        return await waits.AnswerAsync(
            context, caller, (_, ending) => WaitAsync(context, caller.Environment, erasureId, wait, erasures, clock, ending), refused => refused);
    }

    private static async Task<Results<JsonHttpResult<ErasureReceipt>, ProblemResult>> WaitAsync(
        HttpContext context, EnvironmentId environment, string id, TimeSpan wait, IErasures erasures, TimeProvider clock, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            if (await erasures.FindAsync(environment, id, cancellationToken) is not { } erasure)
                return Problems.From(ErrorCode.ErasureNotFound, "There is no erasure of that id, or its receipt is not kept any more.");
            if (erasure.ErasedAt is not null || clock.GetElapsedTime(began) >= wait) return ErasureTexts.Answer(context, erasure);
            await Task.Delay(interval, clock, cancellationToken);
        }
    }
}
