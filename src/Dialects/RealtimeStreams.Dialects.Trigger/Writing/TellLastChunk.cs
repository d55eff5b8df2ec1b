using System.Globalization;
using Microsoft.AspNetCore.Http;
using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Trigger.Requests;
using RealtimeStreams.Protocol;
using RealtimeStreams.RunRegistry;

namespace RealtimeStreams.Dialects.Trigger.Writing;

/// <summary>HEAD: the number of the last line of a v1 writer that is stored.</summary>
internal static class TellLastChunk
{
    public static async Task<IResult> HandleAsync(
        HttpContext context, StreamPath stream, IRunRegistry registry, IChunkLog log, CancellationToken cancellationToken)
    {
        if (IngestChunks.FindProducerId(context.Request.Headers, out var id) is { } error) return error;
        var address = stream.Address;
        if (await registry.FindBriefAsync(address.Environment, address.Run, cancellationToken) is null)
            return TriggerError.From(ErrorCode.RunNotFound, $"There is no run {address.Run}.");
        var last = id is { } writer ? Find(await log.FindAsync(address, cancellationToken), writer) : -1;
        context.Response.Headers[TriggerHeaders.LastChunkIndex] = last.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Ok();
    }

    private static long Find(StreamSummary? stored, ProducerId writer)
    {
        foreach (var producer in stored?.Producers ?? [])
        {
            if (producer.Id == writer) return producer.LastSequence;
        }
        return -1;
    }
}
