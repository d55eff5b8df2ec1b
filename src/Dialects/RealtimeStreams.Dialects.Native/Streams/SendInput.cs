using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Hosting;
using RealtimeStreams.Dialects.Native.Requests;
using RealtimeStreams.Dialects.Native.Runs;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Native.Streams;

/// <summary>Sends to a run: appends to one of its input streams.</summary>
internal static class SendInput
{
    public static async Task<Results<JsonHttpResult<AppendReceipt>, ProblemResult, LastAnswer>> HandleAsync(
        HttpContext context, Caller caller, StreamPath stream, IAppender appender, IRunRegistry registry, ICredentials credentials, RequestLimits limits, IHostApplicationLifetime lifetime)
    {
        var address = stream.Address;
        if (await registry.FindBriefAsync(address.Environment, address.Run, context.RequestAborted) is not { } run)
            return Problems.From(RunTexts.NotFound(address.Run));
        // In the reference too, and in every dialect.
        return run.StreamsVersion == StreamsVersion.V1
            ? Problems.From(ErrorCode.InvalidRequest, $"The run {run.Id} has streams version v1; inputs need v2.")
            : await AppendChunks.HandleAsync(context, caller, stream, appender, credentials, limits, lifetime);
    }
}
