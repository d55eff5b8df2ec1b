using Microsoft.AspNetCore.Http;
using RealtimeStreams.Dialects.S2.Requests;
using RealtimeStreams.Dialects.S2.Wire;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.S2.Streams;

/// <summary>DELETE /streams/{stream}. The receipt of the erasure is named by a header. A run's stream goes with its run only: otherwise its indexes would begin anew under the eyes of its readers.</summary>
internal static class DeleteStream
{
    public static async Task<IResult> HandleAsync(HttpContext context, Call call, INamedStreams streams)
    {
        var name = call.Stream!;
        if (name.Run is { } run)
        {
            return Answers.Error(S2Error.PermissionDenied(
                $"A run's stream is erased with its run, because indexes never start anew. Erase the run {run} over the native API."));
        }
        if (await streams.DeleteAsync(call.Environment, name.Text, call.Credential.Name, context.RequestAborted) is not { } receipt) return Answers.Error(StreamDirectory.NotFound(name));
        context.Response.Headers[NativeHeaders.Erasure] = receipt.Id;
        return Answers.Empty(StatusCodes.Status202Accepted);
    }
}
