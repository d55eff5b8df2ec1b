using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Writing;

/// <summary>PUT: what a writer asks before it writes to a stream, and how it is to write: lines to this dialect (v1), or records to S2 (v2).</summary>
internal static class OpenStream
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, Caller caller, StreamPath stream, IRunRegistry registry, IChunkLog log, S2Access access, CancellationToken cancellationToken)
    {
        var address = stream.Address;
        switch (await registry.AdmitAsync(address, LeaseBounds.Longest, cancellationToken))
        {
            case StreamAdmission.Refused { Refusal: var refusal }:
                return TriggerError.From(refusal with { Detail = $"Cannot initialize a realtime stream: {refusal.Detail}" });
            case StreamAdmission.Admitted { Version: var version }:
                // The writer would find out at its first chunk, and the caller by an error that says less.
                if (await log.FindAsync(address, cancellationToken) is { End: { } end })
                    return TriggerError.From(ErrorCode.StreamClosed, $"Cannot initialize a realtime stream: {address.Key} has ended ({end.ToWord()}).");
                var throughS2 = version == StreamsVersion.V2 && await access.TryTellAsync(context, caller, address, cancellationToken);
                context.Response.Headers.CacheControl = "no-store";
                return Answers.Json(throughS2 ? """{"version":"v2"}"""u8 : """{"version":"v1"}"""u8, StatusCodes.Status202Accepted);
            default:
                throw new UnreachableException();
        }
    }
}
