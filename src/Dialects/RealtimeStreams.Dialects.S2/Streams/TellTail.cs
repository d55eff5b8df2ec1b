using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Read;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>GET …/records/tail: where the stream ends.</summary>
internal static class TellTail
{
    public static async Task<IResult> HandleAsync(HttpContext context, Call call, StreamDirectory directory, IStreamReads reads)
    {
        var (target, error) = await directory.OpenAsync(context, call);
        if (error is not null) return Answers.Error(error);
        var (_, next, lastTimestamp, _) = await reads.FindTailAsync(target!.Address, context.RequestAborted);
        return Answers.Object(json => json.WritePosition("tail", new StreamPosition(next.Value, lastTimestamp)));
    }
}
