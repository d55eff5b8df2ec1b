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
        HttpContext context, Caller caller, string erasureId, string? waitInSeconds, IErasures erasures, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (ErasureTexts.FindFault(waitInSeconds, TimeSpan.Zero, out var wait) is { } fault) return fault;
        var began = clock.GetTimestamp();
        while (true)
        {
            if (await erasures.FindAsync(caller.Environment, erasureId, cancellationToken) is not { } erasure)
                return Problems.From(ErrorCode.ErasureNotFound, "There is no erasure of that id, or its receipt is not kept any more.");
            if (erasure.ErasedAt is not null || clock.GetElapsedTime(began) >= wait) return ErasureTexts.Answer(context, erasure);
            await Task.Delay(interval, clock, cancellationToken);
        }
    }
}
