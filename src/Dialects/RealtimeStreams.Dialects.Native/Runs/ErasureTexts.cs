using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Http;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Runs;

/// <summary>Receipts of erasures as they are told, and how long one waits for its end.</summary>
internal static class ErasureTexts
{
    /// <summary>As long as an erasure waits for its end unless it is told otherwise: longer than one takes whose servers all answer.</summary>
    public static readonly TimeSpan UsualWait = TimeSpan.FromSeconds(5);

    public static JsonHttpResult<ErasureReceipt> Answer(HttpContext context, Erasure erasure)
    {
        var isOver = erasure.ErasedAt is not null;
        if (!isOver) context.Response.Headers.Location = $"/api/v1/erasures/{erasure.Id}";
        context.Response.Headers.CacheControl = "no-store";
        var told = new ErasureReceipt(
            erasure.Id, erasure.Run?.Value, erasure.Stream, isOver ? ErasureState.Erased : ErasureState.Erasing, erasure.RequestedAt, erasure.RequestedBy, erasure.ErasedAt);
        return Answers.Json(told, WireJson.Contracts.ErasureReceipt, isOver ? StatusCodes.Status200OK : StatusCodes.Status202Accepted);
    }
}
